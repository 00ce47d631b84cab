package org.setun.model;

import java.util.Arrays;
import org.setun.kernel.Activation;
import org.setun.kernel.ExpertCodes;
import org.setun.kernel.ExpertKernel.Part;
import org.setun.kernel.Kernels;
import org.setun.kernel.QuantizedActivations;
import org.setun.tensor.TernaryTable;

/**
 * Experts with ternary rows and a scale for each: the products are exact in integers, the sum adds or subtracts a float for each
 * trit.
 *
 * <pre>
 * a_i = activation((code . down_i) * (downScale_i / s))     code, s: int8 codes and scale of x, as in {@link BitLinear}
 * y   = sum_i (a_i * gate_i * upScale_i) * up_i
 * </pre>
 *
 * @param down {@code [experts, hidden]}
 * @param up {@code [experts, hidden]}
 * @param sparsity which codes of the input are kept
 */
public record TernaryExperts(TernaryTable down, TernaryTable up, Sparsity sparsity) implements Experts {

    /** Picks that a worker takes at least: a cache line of results. */
    private static final int PICK_GRANULARITY = 16;

    public TernaryExperts {
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
        return 2 * TernaryTable.packedBytes(1, width());
    }

    @Override
    public void forward(
            float[] x, int tokens, Picks picks, Activation activation, float[] out, Buffers buffers, Kernels kernels) {
        // The experts read the layer's input as it is, without the norm that the query projection may have.
        LinearInput input = buffers.linearInput();
        input.set(x, tokens, width(), null, kernels);
        QuantizedActivations quantized = input.codes(sparsity, kernels);
        ExpertCodes codes = buffers.experts().codes();
        kernels.workers().forRange(tokens, 1, (from, to) -> {
            for (int token = from; token < to; token++) {
                codes.set(quantized, token);
            }
        });
        kernels.workers()
                .forRange(
                        picks.count(),
                        PICK_GRANULARITY,
                        (from, to) -> activate(picks, from, to, codes, quantized.scales(), activation, kernels));
        addUp(picks, tokens, out, kernels);
        input.counter().ternaryExperts(quantized, count(), picks.perToken(), width(), down.zeros(), up.zeros());
    }

    /** Computes the factors of picks {@code [from, to)}. */
    private void activate(
            Picks picks, int from, int to, ExpertCodes codes, float[] scales, Activation activation, Kernels kernels) {
        int[] experts = picks.experts();
        int[] tokens = picks.tokens();
        float[] factors = picks.factors();
        kernels.experts().multiply(down, codes, experts, tokens, from, to, picks.sums());
        for (int i = from; i < to; i++) {
            factors[i] = picks.sums()[i] * (down.scale(experts[i]) / scales[tokens[i]]);
        }
        kernels.floating().gate(activation, factors, from, picks.gates(), from, to - from, factors, from);
        for (int i = from; i < to; i++) {
            factors[i] *= up.scale(experts[i]);
        }
    }

    /** Sums the output rows: columns are split among the threads and, where there are more threads, tokens. */
    private void addUp(Picks picks, int tokens, float[] out, Kernels kernels) {
        Arrays.fill(out, 0, tokens * width(), 0);
        int blocks = up.blocks();
        int groups = Math.clamp(Math.ceilDiv(kernels.workers().threads(), blocks), 1, tokens);
        kernels.workers().forRange(groups * blocks, 1, (from, to) -> {
            for (int job = from; job < to; ) {
                int group = job / blocks;
                int fromBlock = job % blocks;
                int toBlock = Math.min(blocks, fromBlock + to - job);
                Part part = new Part(tokens * group / groups, tokens * (group + 1) / groups, fromBlock, toBlock);
                kernels.experts()
                        .addRows(up, picks.experts(), picks.tokens(), picks.factors(), picks.count(), out, part);
                job += toBlock - fromBlock;
            }
        });
    }
}
