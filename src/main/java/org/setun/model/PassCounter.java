package org.setun.model;

import java.util.Arrays;
import java.util.List;
import org.setun.kernel.QuantizedActivations;
import org.setun.model.PassCounts.Place;

/**
 * Counts what a forward pass does, for each of its chunks and for all together. Whoever computes says first where it is ({@link #at}),
 * then what it does. The numbers of a chunk are sums over its own rows, whatever else is in the batch; bytes of weights, which the
 * chunks share, are counted for all together only. For the thread that runs the passes.
 */
final class PassCounter {

    private static final int SITES = Site.values().length;

    private final boolean counting;
    private final PassCounts total;
    private final int[] placeOf;
    private final long[] pass;
    private long[][] ofChunks = {};
    private int[] rows = {};
    private long[] nonZeros = {};
    private int chunks;
    private int layer;
    private int place;

    /**
     * Creates the counter of a model.
     *
     * @param places where there is something to count; those of layers, then those outside
     * @param layers how many layers there are
     */
    PassCounter(List<Place> places, int layers) {
        this(places, layers, true);
    }

    private PassCounter(List<Place> places, int layers, boolean counting) {
        this.counting = counting;
        this.total = new PassCounts(places);
        this.pass = new long[PassCounts.size(places.size())];
        this.placeOf = new int[(layers + 1) * SITES];
        for (int i = 0; i < places.size(); i++) {
            Place each = places.get(i);
            int row = each.layer() == Place.NO_LAYER ? layers : each.layer();
            placeOf[row * SITES + each.site().index()] = i;
        }
    }

    /** Returns one that counts nothing. */
    static PassCounter off() {
        return new PassCounter(List.of(), 0, false);
    }

    /** Returns whether anything is counted. */
    boolean isCounting() {
        return counting;
    }

    /** Returns the sums of all passes. */
    PassCounts total() {
        return total;
    }

    /** Begins a pass outside of the layers; rows are the tokens of {@code batch}. */
    void begin(Batch batch) {
        if (!counting) {
            return;
        }
        chunks = batch.chunks().size();
        while (ofChunks.length < chunks) {
            ofChunks = Arrays.copyOf(ofChunks, ofChunks.length + 1);
            ofChunks[ofChunks.length - 1] = new long[pass.length];
        }
        if (rows.length < chunks) {
            rows = new int[chunks];
            nonZeros = new long[chunks];
        }
        for (int chunk = 0; chunk < chunks; chunk++) {
            Arrays.fill(ofChunks[chunk], 0);
            rows[chunk] = batch.chunks().get(chunk).tokens().length;
        }
        Arrays.fill(pass, 0);
        outside();
    }

    /** From now on places are those of layer {@code layer}. */
    void layer(int layer) {
        this.layer = layer;
    }

    /** From now on places are outside of the layers. */
    private void outside() {
        layer = placeOf.length / SITES - 1;
    }

    /** From now on rows are those that {@code batch} wants logits of, and places are outside of the layers. */
    void head(Batch batch) {
        if (!counting) {
            return;
        }
        outside();
        for (int chunk = 0; chunk < chunks; chunk++) {
            rows[chunk] = batch.chunks().get(chunk).logitRows();
        }
        at(Site.HEAD);
    }

    /** From now on all is counted at {@code site}. */
    void at(Site site) {
        if (counting) {
            place = placeOf[layer * SITES + site.index()];
        }
    }

    /** Counts the codes of all rows, which the products that follow are given. */
    void codes(QuantizedActivations codes) {
        if (!counting) {
            return;
        }
        int row = 0;
        for (int chunk = 0; chunk < chunks; chunk++) {
            long notZero = 0;
            for (int end = row + rows[chunk]; row < end; row++) {
                notZero += codes.nonZeros(row);
            }
            nonZeros[chunk] = notZero;
            long elements = (long) rows[chunk] * codes.columns();
            add(chunk, Measure.ELEMENTS, elements);
            add(chunk, Measure.ZEROS, elements - notZero);
        }
    }

    /** Counts bytes of weights. */
    void weights(long dense, long read) {
        if (counting) {
            pass[PassCounts.index(place, Measure.DENSE_BYTES)] += dense;
            pass[PassCounts.index(place, Measure.READ_BYTES)] += read;
        }
    }

    /**
     * Counts a product of the codes counted last with ternary weights.
     *
     * @param outputs rows of the weights
     * @param inputs columns of the weights
     * @param zeroWeights how many of the weights are zero
     * @param factors how many floats each row of the weights is rescaled by; those after the first are followed by an addition
     */
    void ternary(int outputs, int inputs, long zeroWeights, int factors) {
        if (!counting) {
            return;
        }
        long dense = (long) outputs * inputs;
        long perCode = Math.round((double) (dense - zeroWeights) / inputs);
        for (int chunk = 0; chunk < chunks; chunk++) {
            add(chunk, Measure.DENSE_OPERATIONS, rows[chunk] * dense);
            long joining = rows[chunk] * (factors - 1L) * outputs;
            add(chunk, Measure.ADDITIONS, nonZeros[chunk] * perCode + joining);
            add(chunk, Measure.MULTIPLICATIONS, (long) rows[chunk] * factors * outputs);
        }
    }

    /** Counts a product of every row with {@code weights} floats. */
    void floats(long weights) {
        if (!counting) {
            return;
        }
        for (int chunk = 0; chunk < chunks; chunk++) {
            floats(chunk, rows[chunk] * weights, rows[chunk] * weights);
        }
    }

    /** Counts what the tokens of {@code batch} attend to, {@code perToken} elements of keys and values for each that a token sees. */
    void attention(Batch batch, long perToken) {
        if (!counting) {
            return;
        }
        for (int chunk = 0; chunk < chunks; chunk++) {
            long before = batch.chunks().get(chunk).position();
            long tokens = rows[chunk];
            long seen = tokens * before + tokens * (tokens + 1) / 2;
            floats(chunk, seen * perToken, seen * perToken);
        }
    }

    /** Counts products of one row with floats: {@code dense} of them if nothing were left out, {@code done} in fact. */
    void floatsOfRow(int row, long dense, long done) {
        if (!counting) {
            return;
        }
        int chunk = 0;
        for (int end = rows[0]; row >= end; end += rows[chunk]) {
            chunk++;
        }
        floats(chunk, dense, done);
    }

    /**
     * Counts retrieved experts with float rows.
     *
     * @param experts how many there are
     * @param retrieved how many each token retrieved
     * @param width of the two rows of an expert
     */
    void floatExperts(long experts, int retrieved, int width) {
        if (!counting) {
            return;
        }
        for (int chunk = 0; chunk < chunks; chunk++) {
            floats(chunk, 2L * rows[chunk] * experts * width, 2L * rows[chunk] * retrieved * width);
        }
    }

    /**
     * Counts retrieved experts with ternary rows. What a token's experts weigh is taken for what all experts do on the mean.
     *
     * @param codes the input
     * @param experts how many there are
     * @param retrieved how many each token retrieved
     * @param width of the two rows of an expert
     * @param zeroIn how many weights of all input rows are zero
     * @param zeroOut how many weights of all output rows are zero
     */
    void ternaryExperts(QuantizedActivations codes, long experts, int retrieved, int width, long zeroIn, long zeroOut) {
        if (!counting) {
            return;
        }
        double weights = (double) experts * width;
        double perCode = retrieved * (weights - zeroIn) / weights;
        long perToken = Math.round(retrieved * (weights - zeroOut) / experts);
        int row = 0;
        for (int chunk = 0; chunk < chunks; chunk++) {
            long inward = 0;
            for (int end = row + rows[chunk]; row < end; row++) {
                inward += Math.round(codes.nonZeros(row) * perCode);
            }
            add(chunk, Measure.DENSE_OPERATIONS, 2L * rows[chunk] * experts * width);
            add(chunk, Measure.ADDITIONS, inward + rows[chunk] * perToken);
            add(chunk, Measure.MULTIPLICATIONS, 2L * rows[chunk] * retrieved);
        }
    }

    private void floats(int chunk, long dense, long done) {
        add(chunk, Measure.DENSE_OPERATIONS, dense);
        add(chunk, Measure.ADDITIONS, done);
        add(chunk, Measure.MULTIPLICATIONS, done);
    }

    private void add(int chunk, Measure measure, long more) {
        int index = PassCounts.index(place, measure);
        ofChunks[chunk][index] += more;
        pass[index] += more;
    }

    /** Adds what has been counted since the pass began, or since the last call, to the total. */
    void publish() {
        total.add(pass);
        Arrays.fill(pass, 0);
    }

    /** Adds what has been counted of a chunk of the last pass to the counts of its sequence. */
    void addTo(PassCounts sequence, int chunk) {
        if (counting) {
            sequence.add(ofChunks[chunk]);
        }
    }
}
