package org.setun.architecture;

import java.util.Optional;
import org.setun.model.KeyValueFormat;

/** A token mixer. */
sealed interface MixerSpec {

    /** Returns the bytes that this layer keeps of a sequence, however long it is. */
    long recurrentBytes(int hiddenSize);

    /** Returns the bytes that this layer keeps of each token. */
    long tokenBytes(KeyValueFormat format);

    /**
     * The recurrence of the MatMul-free language model.
     *
     * @param numHeads shapes the state and changes no number
     * @param expandRatio recurrent width by hidden width
     * @param lowerBound whether the forget gate has lower bounds
     * @param convolution the short convolution in front of the gates, if there is one
     */
    record Mlgru(int numHeads, double expandRatio, boolean lowerBound, Optional<Convolution> convolution)
            implements MixerSpec {

        /** Returns the recurrent width. */
        int width(int hiddenSize) {
            return (int) (hiddenSize * expandRatio);
        }

        @Override
        public long recurrentBytes(int hiddenSize) {
            int width = width(hiddenSize);
            return convolution
                    .map(taken -> org.setun.model.Mlgru.stateBytes(
                            width, taken.shared() ? hiddenSize : 2 * width, taken.size()))
                    .orElseGet(() -> org.setun.model.Mlgru.stateBytes(width, 0, 1));
        }

        @Override
        public long tokenBytes(KeyValueFormat format) {
            return 0;
        }
    }

    /**
     * A short causal convolution.
     *
     * @param size the number of taps
     * @param shared whether one convolution feeds all three gates; else the input and the forget gate have one each
     */
    record Convolution(int size, boolean shared) {}

    /**
     * Grouped-query attention with rotary positions.
     *
     * @param numHeads query heads
     * @param numKvHeads key and value heads
     * @param headDim the width of a head
     * @param rope the rotary positions
     * @param subNorm whether a norm stands in front of the output projection
     */
    record Attention(int numHeads, int numKvHeads, int headDim, RopeSpec rope, boolean subNorm) implements MixerSpec {
        public Attention {
            if (!rope.freqFactors().isEmpty() && rope.freqFactors().size() != headDim / 2) {
                throw new IllegalArgumentException(
                        rope.freqFactors().size() + " factors of frequencies for heads of " + headDim);
            }
        }

        @Override
        public long recurrentBytes(int hiddenSize) {
            return 0;
        }

        @Override
        public long tokenBytes(KeyValueFormat format) {
            return format.tokenBytes(numKvHeads, headDim);
        }
    }
}
