package org.setun.model;

import org.jspecify.annotations.Nullable;
import org.setun.kernel.Kernels;

/**
 * The rotary turns of a batch's tokens, computed once for all layers that share a {@link Rope}. For one thread at a time, which
 * may share the reading of what has been computed.
 */
final class RopeTurns {

    private final int maxTokens;
    private float[] cos = new float[0];
    private float[] sin = new float[0];
    private @Nullable Rope computed;

    /** Creates space for batches of at most {@code maxTokens} tokens; it is allocated by the first that is turned. */
    RopeTurns(int maxTokens) {
        this.maxTokens = maxTokens;
    }

    /** Forgets the turns of the last batch. */
    void clear() {
        computed = null;
    }

    /** Computes the turns of {@code batch} unless the last call since {@link #clear} did, of the same. */
    void compute(Rope rope, Batch batch, Kernels kernels) {
        if (rope.equals(computed)) {
            return;
        }
        int pairs = rope.inverseFrequencies().length;
        if (cos.length < maxTokens * pairs) {
            cos = new float[Math.multiplyExact(maxTokens, pairs)];
            sin = new float[cos.length];
        }
        kernels.workers().forRange(batch.tokens(), 1, (from, to) -> {
            int token = 0;
            for (Chunk chunk : batch.chunks()) {
                int first = token;
                int end = Math.min(to, first + chunk.tokens().length);
                for (token = Math.max(from, first); token < end; token++) {
                    rope.turns(chunk.position() + token - first, cos, sin, token * pairs);
                }
                token = first + chunk.tokens().length;
            }
        });
        computed = rope;
    }

    /** Turns {@code heads} vectors of token {@code token}, in place. */
    void rotate(float[] x, int offset, int heads, int token, int pairs) {
        Rope.rotate(x, offset, heads, pairs, cos, sin, token * pairs);
    }
}
