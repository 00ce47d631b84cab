package org.setun.model;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.setun.kernel.AttentionKernel;
import org.setun.kernel.ExpertCodes;
import org.setun.kernel.ExpertKernel;
import org.setun.kernel.Kernels;
import org.setun.kernel.MatrixKernel;
import org.setun.kernel.QuantizedActivations;
import org.setun.kernel.RetrievalKernel;
import org.setun.kernel.ScreenKernel;
import org.setun.kernel.SparseTernaryKernel;
import org.setun.kernel.TernaryKernel;
import org.setun.model.PassCounts.Place;
import org.setun.tensor.ElementType;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.PanelMatrix;
import org.setun.tensor.ScreenMatrix;
import org.setun.tensor.TernaryColumns;
import org.setun.tensor.TernaryMatrix;
import org.setun.tensor.TernaryTable;

/**
 * Kernels that note what they are asked to compute: the codes one by one, the weights one by one. What a pass did is then known
 * without asking what counts it. For one thread.
 */
final class WatchedKernels {

    private final Kernels kernels;
    private final IdentityHashMap<Object, BitLinear> linears = new IdentityHashMap<>();
    private final IdentityHashMap<Object, Place> places = new IdentityHashMap<>();
    private final IdentityHashMap<Object, Boolean> prepares = new IdentityHashMap<>();
    private final IdentityHashMap<Object, BitSet> read = new IdentityHashMap<>();
    private final Map<Place, EnumMap<Measure, Long>> counts = new TreeMap<>(
            (a, b) -> a.layer() == b.layer() ? a.site().compareTo(b.site()) : Integer.compare(a.layer(), b.layer()));
    private final Map<Place, Long> pairs = new HashMap<>();
    private int productsByColumns;
    private Place experts = new Place(Place.NO_LAYER, Site.PEER_EXPERTS);

    WatchedKernels(Kernels kernels) {
        Map<ElementType, AttentionKernel> attention = new HashMap<>();
        kernels.attention()
                .forEach(
                        (type, kernel) -> attention.put(type, watched(AttentionKernel.class, kernel, this::attention)));
        this.kernels = new Kernels(
                watched(TernaryKernel.class, kernels.ternary(), this::ternary),
                watched(SparseTernaryKernel.class, kernels.sparse(), this::sparse),
                kernels.floating(),
                watched(MatrixKernel.class, kernels.matrices(), this::floats),
                watched(ScreenKernel.class, kernels.screen(), this::screen),
                attention,
                watched(RetrievalKernel.class, kernels.retrieval(), this::retrieval),
                watched(ExpertKernel.class, kernels.experts(), this::experts),
                kernels.workers());
    }

    Kernels kernels() {
        return kernels;
    }

    /** Learns which weights stand where. */
    void learn(TernaryModel model) {
        for (int layer = 0; layer < model.blocks().size(); layer++) {
            Block block = model.blocks().get(layer);
            switch (block.mixer()) {
                case Mlgru mlgru -> {
                    learn(mlgru.input(), layer, Site.MIXER_IN, true);
                    learn(mlgru.forget(), layer, Site.MIXER_IN, true);
                    learn(mlgru.gate(), layer, Site.MIXER_IN, true);
                    learn(mlgru.output(), layer, Site.MIXER_OUT, true);
                }
                case Attention attention -> {
                    learn(attention.query(), layer, Site.MIXER_IN, true);
                    learn(attention.key(), layer, Site.MIXER_IN, attention.key().inputNorm() != null);
                    learn(
                            attention.value(),
                            layer,
                            Site.MIXER_IN,
                            attention.value().inputNorm() != null);
                    learn(attention.output(), layer, Site.MIXER_OUT, true);
                }
            }
            switch (block.channel()) {
                case GatedMlp mlp -> {
                    learn(mlp.gate(), layer, Site.CHANNEL_IN, true);
                    learn(mlp.up(), layer, Site.CHANNEL_IN, false);
                    learn(mlp.down(), layer, Site.CHANNEL_DOWN, true);
                }
                case Peer peer -> {
                    learn(peer.query(), layer, Site.PEER_QUERY, true);
                    Place place = new Place(layer, Site.PEER_EXPERTS);
                    for (ProductKeys.Pair pair : peer.keys().pairs()) {
                        places.put(pair.first(), place);
                        places.put(pair.second(), place);
                    }
                    places.put(
                            switch (peer.experts()) {
                                case TernaryExperts ternary -> ternary.down();
                                case FloatExperts floats -> floats.down();
                            },
                            place);
                }
            }
        }
        learn(model.head(), Place.NO_LAYER, Site.HEAD, true);
    }

    private void learn(Linear linear, int layer, Site site, boolean own) {
        Object weights = switch (linear) {
            case BitLinear bits -> bits.weights();
            case FloatLinear floats -> floats.weights();
            case BlockScaledLinear blocks -> throw new AssertionError(blocks);
        };
        places.put(weights, new Place(layer, site));
        prepares.put(weights, own);
        if (linear instanceof BitLinear bits && bits.columns() != null) {
            linears.put(bits.columns(), bits);
        }
    }

    /** Returns what has been computed at a place; bytes that were read are in {@link #readPart}. */
    long count(Place place, Measure measure) {
        return counts.getOrDefault(place, new EnumMap<>(Measure.class)).getOrDefault(measure, 0L);
    }

    /** Returns how many pairs of a non-zero code and a non-zero weight there were in ternary products. */
    long pairs(Place place) {
        return pairs.getOrDefault(place, 0L);
    }

    /** Returns how many tokens' products have been computed by columns. */
    int productsByColumns() {
        return productsByColumns;
    }

    /** Returns which rows or columns of some weights have been read. */
    BitSet readPart(Object weights) {
        return read.getOrDefault(weights, new BitSet());
    }

    private void add(Place place, Measure measure, long more) {
        counts.computeIfAbsent(place, key -> new EnumMap<>(Measure.class)).merge(measure, more, Long::sum);
    }

    private BitSet reading(Object weights) {
        return read.computeIfAbsent(weights, key -> new BitSet());
    }

    private Place place(Object weights) {
        Place place = places.get(weights);
        if (place == null) {
            throw new AssertionError("weights of no known place");
        }
        return place;
    }

    private void ternary(Object[] call) {
        TernaryMatrix weights = (TernaryMatrix) call[0];
        QuantizedActivations codes = (QuantizedActivations) call[1];
        if ((int) call[3] != 0 || (int) call[4] != weights.rows()) {
            throw new AssertionError("expected whole products");
        }
        reading(weights).set(0, weights.columns());
        for (int token = 0; token < (int) call[2]; token++) {
            product(weights, codes, token);
        }
    }

    private void sparse(Object[] call) {
        TernaryColumns columns = (TernaryColumns) call[0];
        QuantizedActivations codes = (QuantizedActivations) call[1];
        int token = (int) call[2];
        if ((int) call[3] != 0 || (int) call[4] != columns.rows()) {
            throw new AssertionError("expected whole products");
        }
        for (int c = 0; c < columns.columns(); c++) {
            if (codes.codes()[codes.rowOffset(token) + c] != 0) {
                reading(columns).set(c);
            }
        }
        productsByColumns++;
        product(Objects.requireNonNull(linears.get(columns)).weights(), codes, token);
    }

    private void product(TernaryMatrix weights, QuantizedActivations codes, int token) {
        Place place = place(weights);
        byte[] row = new byte[weights.columns()];
        long zeros = 0;
        long nonZeroWeights = 0;
        for (int r = 0; r < weights.rows(); r++) {
            weights.readRow(r, row, 0);
            for (int c = 0; c < weights.columns(); c++) {
                boolean code = codes.codes()[codes.rowOffset(token) + c] != 0;
                zeros += r == 0 && !code ? 1 : 0;
                nonZeroWeights += row[c] != 0 ? 1 : 0;
                pairs.merge(place, row[c] != 0 && code ? 1L : 0L, Long::sum);
            }
        }
        if (prepares.getOrDefault(weights, false)) {
            add(place, Measure.ELEMENTS, weights.columns());
            add(place, Measure.ZEROS, zeros);
        }
        long perColumn = Math.round((double) nonZeroWeights / weights.columns());
        add(place, Measure.DENSE_OPERATIONS, (long) weights.rows() * weights.columns());
        add(place, Measure.ADDITIONS, (weights.columns() - zeros) * perColumn);
        add(place, Measure.MULTIPLICATIONS, weights.rows());
    }

    private void floats(Object[] call) {
        if (call.length == 6) { // addWeightedRows: the output rows of float experts
            multiplied(experts, (long) (int) call[1] * ((FloatMatrix) call[0]).columns());
            return;
        }
        FloatMatrix matrix = (FloatMatrix) call[0];
        Place place = place(matrix);
        experts = place;
        reading(matrix).set((int) call[3], (int) call[4]);
        multiplied(place, (long) ((int) call[4] - (int) call[3]) * matrix.columns());
    }

    private void screen(Object[] call) {
        ScreenMatrix matrix = (ScreenMatrix) call[0];
        ScreenKernel.Inputs inputs = (ScreenKernel.Inputs) call[1];
        if ((int) call[2] != 0 || (int) call[3] != matrix.panels()) {
            throw new AssertionError("expected whole screens");
        }
        reading("screen").set(0);
        Place head = new Place(Place.NO_LAYER, Site.HEAD);
        multiplied(head, (long) inputs.count() * matrix.rows() * matrix.columns());
    }

    private void attention(Object[] call) {
        if (call.length == 10) { // addValues; scores are computed for whole pages, but as many of them count
            Place place = new Place(-2, Site.ATTENTION);
            long products = (long) (int) call[7] * ((int) call[9] - (int) call[8]) * (int) call[2];
            multiplied(place, 2 * products);
        }
    }

    private void retrieval(Object[] call) {
        if (call[0] instanceof PanelMatrix keys) {
            if ((int) call[1] != 0 || (int) call[2] != keys.panels()) {
                throw new AssertionError("expected whole halves");
            }
            multiplied(place(keys), (long) (int) call[5] * keys.rows() * keys.columns());
        }
    }

    private void experts(Object[] call) {
        TernaryTable table = (TernaryTable) call[0];
        if (call.length == 7 && call[1] instanceof ExpertCodes) {
            experts = place(table);
            int[] rows = (int[]) call[2];
            IntStream.range((int) call[4], (int) call[5])
                    .forEach(i -> reading(table).set(rows[i]));
            add(experts, Measure.MULTIPLICATIONS, (int) call[5] - (int) call[4]);
        } else {
            int[] rows = (int[]) call[1];
            for (int i = 0; i < (int) call[4]; i++) {
                for (int c = 0; c < table.columns(); c++) {
                    pairs.merge(experts, table.trit(rows[i], c) != 0 ? 1L : 0L, Long::sum);
                }
            }
            add(experts, Measure.MULTIPLICATIONS, (int) call[4]);
        }
    }

    private void multiplied(Place place, long products) {
        add(place, Measure.ADDITIONS, products);
        add(place, Measure.MULTIPLICATIONS, products);
    }

    private interface Watcher {
        void sees(Object[] call);
    }

    private static <T> T watched(Class<T> type, T target, Watcher watcher) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, call) -> {
            if (call != null && method.getReturnType() == void.class) {
                watcher.sees(call);
            }
            try {
                return method.invoke(target, call);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }));
    }
}
