package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.setun.tensor.PanelMatrix;

/**
 * Scores and selection with vectors, bit for bit those of {@link ScalarRetrievalKernel}. A lane of a score is a key, so that
 * all widths add in the same order; four queries share each key that is loaded.
 *
 * <p>The selection first finds a value that at least {@code k} others reach, the {@code k}-th largest of the maxima of
 * {@value #GROUPS} interleaved groups, and then looks only at what is not below it.
 *
 * <p>Instances come from {@link VectorWidth#instance}.
 */
final class VectorRetrievalKernel implements RetrievalKernel {

    private static final int BITS = VectorWidth.bits(MethodHandles.lookup());
    private static final VectorSpecies<Float> FLOATS = VectorWidth.species(float.class, BITS);
    private static final int LANES = FLOATS.length();
    private static final int VECTOR_BYTES = BITS / Byte.SIZE;

    private static final int PANEL_ROWS = PanelMatrix.PANEL_ROWS;
    private static final long COLUMN_BYTES = (long) PANEL_ROWS * Float.BYTES;

    /** Queries that share a loaded key. */
    private static final int TILE = 4;

    /** Groups of the selection's first look: with twice as many as the largest k it serves, few values pass in vain. */
    private static final int GROUPS = 64;

    private static final int GROUPED_K = GROUPS / 2;

    private static final ScalarRetrievalKernel SCALAR = new ScalarRetrievalKernel();

    @Override
    public String name() {
        return KernelSelection.vectorName(BITS);
    }

    @Override
    public void scores(PanelMatrix keys, int fromPanel, int toPanel, Rows queries, Rows scores, int count) {
        float[] tile = new float[TILE * PANEL_ROWS];
        for (int panel = fromPanel; panel < toPanel; panel++) {
            int row = panel * PANEL_ROWS;
            int rows = Math.min(PANEL_ROWS, keys.rows() - row);
            long at = row * (long) keys.columns() * Float.BYTES;
            int q = 0;
            for (; q + TILE <= count; q += TILE) {
                for (int part = 0; part < PANEL_ROWS; part += 2 * LANES) {
                    fourQueries(keys, at + (long) part * Float.BYTES, queries, q, tile, part);
                }
                for (int i = 0; i < TILE; i++) {
                    copy(tile, i * PANEL_ROWS, rows, scores, q + i, row);
                }
            }
            for (; q < count; q++) {
                for (int part = 0; part < PANEL_ROWS; part += 2 * LANES) {
                    oneQuery(keys, at + (long) part * Float.BYTES, queries, q, tile, part);
                }
                copy(tile, 0, rows, scores, q, row);
            }
        }
    }

    private static void copy(float[] tile, int from, int rows, Rows scores, int q, int row) {
        System.arraycopy(tile, from, scores.values(), scores.offset() + q * scores.stride() + row, rows);
    }

    private static void fourQueries(PanelMatrix keys, long at, Rows queries, int q, float[] tile, int part) {
        MemorySegment values = keys.values();
        float[] x = queries.values();
        int x0 = queries.offset() + q * queries.stride();
        int x1 = x0 + queries.stride();
        int x2 = x1 + queries.stride();
        int x3 = x2 + queries.stride();
        FloatVector sum00 = FloatVector.zero(FLOATS);
        FloatVector sum01 = sum00;
        FloatVector sum10 = sum00;
        FloatVector sum11 = sum00;
        FloatVector sum20 = sum00;
        FloatVector sum21 = sum00;
        FloatVector sum30 = sum00;
        FloatVector sum31 = sum00;
        for (int column = 0; column < keys.columns(); column++) {
            long from = at + column * COLUMN_BYTES;
            FloatVector key0 = load(values, from);
            FloatVector key1 = load(values, from + VECTOR_BYTES);
            FloatVector query = FloatVector.broadcast(FLOATS, x[x0 + column]);
            sum00 = key0.fma(query, sum00);
            sum01 = key1.fma(query, sum01);
            query = FloatVector.broadcast(FLOATS, x[x1 + column]);
            sum10 = key0.fma(query, sum10);
            sum11 = key1.fma(query, sum11);
            query = FloatVector.broadcast(FLOATS, x[x2 + column]);
            sum20 = key0.fma(query, sum20);
            sum21 = key1.fma(query, sum21);
            query = FloatVector.broadcast(FLOATS, x[x3 + column]);
            sum30 = key0.fma(query, sum30);
            sum31 = key1.fma(query, sum31);
        }
        store(tile, part, sum00, sum01);
        store(tile, part + PANEL_ROWS, sum10, sum11);
        store(tile, part + 2 * PANEL_ROWS, sum20, sum21);
        store(tile, part + 3 * PANEL_ROWS, sum30, sum31);
    }

    private static void oneQuery(PanelMatrix keys, long at, Rows queries, int q, float[] tile, int part) {
        MemorySegment values = keys.values();
        float[] x = queries.values();
        int x0 = queries.offset() + q * queries.stride();
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        for (int column = 0; column < keys.columns(); column++) {
            long from = at + column * COLUMN_BYTES;
            FloatVector query = FloatVector.broadcast(FLOATS, x[x0 + column]);
            sum0 = load(values, from).fma(query, sum0);
            sum1 = load(values, from + VECTOR_BYTES).fma(query, sum1);
        }
        store(tile, part, sum0, sum1);
    }

    private static FloatVector load(MemorySegment values, long at) {
        return FloatVector.fromMemorySegment(FLOATS, values, at, ByteOrder.LITTLE_ENDIAN);
    }

    private static void store(float[] tile, int at, FloatVector sum0, FloatVector sum1) {
        sum0.intoArray(tile, at);
        sum1.intoArray(tile, at + LANES);
    }

    @Override
    public void largest(float[] x, int offset, int length, int k, int[] indices, float[] values, int outOffset) {
        float bound =
                k <= GROUPED_K && length >= 2 * GROUPS ? lowerBound(x, offset, length, k) : Float.NEGATIVE_INFINITY;
        if (bound == Float.NEGATIVE_INFINITY) {
            SCALAR.largest(x, offset, length, k, indices, values, outOffset);
            return;
        }
        int found = 0;
        int j = 0;
        for (; j < FLOATS.loopBound(length); j += LANES) {
            // NaN is not among the k largest, as k values reach the bound.
            long hits = FloatVector.fromArray(FLOATS, x, offset + j)
                    .compare(VectorOperators.GE, bound)
                    .toLong();
            for (; hits != 0; hits &= hits - 1) {
                int i = j + Long.numberOfTrailingZeros(hits);
                found = ScalarRetrievalKernel.insert(x[offset + i], i, found, k, indices, values, outOffset);
            }
        }
        for (; j < length; j++) {
            found = ScalarRetrievalKernel.insert(x[offset + j], j, found, k, indices, values, outOffset);
        }
    }

    /** Returns a value that at least {@code k} of the first values reach: the {@code k}-th largest group maximum. */
    private static float lowerBound(float[] x, int offset, int length, int k) {
        float[] maxima = new float[GROUPS];
        int whole = length - length % GROUPS;
        for (int first = 0; first < GROUPS; first += LANES) {
            FloatVector max = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
            for (int j = first; j < whole; j += GROUPS) {
                FloatVector values = FloatVector.fromArray(FLOATS, x, offset + j);
                VectorMask<Float> larger = values.compare(VectorOperators.GT, max);
                max = max.blend(values, larger);
            }
            max.intoArray(maxima, first);
        }
        float bound = Float.POSITIVE_INFINITY;
        for (float candidate : maxima) {
            if (candidate < bound && larger(maxima, candidate) < k) {
                bound = candidate;
            }
        }
        return bound;
    }

    private static int larger(float[] maxima, float candidate) {
        int count = 0;
        for (int j = 0; j < GROUPS; j += LANES) {
            count += FloatVector.fromArray(FLOATS, maxima, j)
                    .compare(VectorOperators.GT, candidate)
                    .trueCount();
        }
        return count;
    }

    @Override
    public void largestSums(
            int[] indices, float[] values, int offset, int k, int side, int[] pairs, float[] sums, int outOffset) {
        SCALAR.largestSums(indices, values, offset, k, side, pairs, sums, outOffset); // some fifty for a k of 16
    }
}
