package org.setun.model;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.setun.kernel.Activation;
import org.setun.kernel.Kernels;
import org.setun.tensor.FloatMatrix;

/**
 * Experts with float rows, which read their input as floats.
 *
 * @param down {@code [experts, hidden]}
 * @param up {@code [experts, hidden]}
 */
public record FloatExperts(FloatMatrix down, FloatMatrix up) implements Experts {

    private static final int PICK_GRANULARITY = 16;

    /** Columns that a worker takes at least: four cache lines of floats. */
    private static final int COLUMN_GRANULARITY = 64;

    public FloatExperts {
        if (down.rows() != up.rows() || down.columns() != up.columns()) {
            throw new IllegalArgumentException("expected tables of one shape, found [" + down.rows() + ", "
                    + down.columns() + "] and [" + up.rows() + ", " + up.columns() + "]");
        }
    }

    @Override
    public int count() {
        return down.rows();
    }

    @Override
    public int width() {
        return down.columns();
    }

    @Override
    public long weightBytes() {
        return (long) width() * (down.elementType().bytes() + up.elementType().bytes());
    }

    @Override
    public void forward(
            float[] x, int tokens, Picks picks, Activation activation, float[] out, Buffers buffers, Kernels kernels) {
        float[] factors = picks.factors();
        kernels.workers().forRange(picks.count(), PICK_GRANULARITY, (from, to) -> {
            for (int i = from; i < to; i++) {
                int row = picks.experts()[i];
                int at = picks.tokens()[i] * width();
                kernels.matrices().multiply(down, x, at, row, row + 1, factors, i - row);
            }
            kernels.floating().gate(activation, factors, from, picks.gates(), from, to - from, factors, from);
        });
        Arrays.fill(out, 0, tokens * width(), 0);
        kernels.workers().forRange(width(), COLUMN_GRANULARITY, (from, to) -> {
            for (int i = 0; i < picks.count(); i++) {
                FloatMatrix row = part(picks.experts()[i], from, to);
                int at = picks.tokens()[i] * width() + from;
                kernels.matrices().addWeightedRows(row, 1, factors, i, out, at);
            }
        });
        buffers.linearInput().counter().floatExperts(count(), picks.perToken(), width());
    }

    /** Returns columns {@code [from, to)} of an output row. */
    private FloatMatrix part(int row, int from, int to) {
        int bytes = up.elementType().bytes();
        MemorySegment values = up.segment().asSlice(((long) row * width() + from) * bytes, (long) (to - from) * bytes);
        return new FloatMatrix(1, to - from, up.elementType(), values);
    }
}
