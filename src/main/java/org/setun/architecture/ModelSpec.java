package org.setun.architecture;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a network is made of, whatever family its checkpoint belongs to: the parsed meaning of a configuration.
 *
 * @param vocabSize the number of token ids
 * @param hiddenSize the width of the residual stream
 * @param maxPositions the sequence length that the model was trained for
 * @param normEpsilon epsilon of the block norms, the final norm and the norms inside mixers
 * @param tokens the ids with a meaning of their own
 * @param inputNormEpsilon epsilon of the norm that each linear owns on its input; empty where linears own none
 * @param head the output head
 * @param layers first to last
 */
record ModelSpec(
        int vocabSize,
        int hiddenSize,
        int maxPositions,
        double normEpsilon,
        SpecialTokens tokens,
        Optional<Double> inputNormEpsilon,
        HeadSpec head,
        List<LayerSpec> layers) {

    ModelSpec {
        layers = List.copyOf(layers);
    }

    /** Returns the same network with layers that keep all activations. */
    ModelSpec dense() {
        List<LayerSpec> dense = layers.stream()
                .map(layer -> new LayerSpec(layer.mixer(), layer.channel(), new SparsitySpec.Dense(), layer.storage()))
                .toList();
        return new ModelSpec(vocabSize, hiddenSize, maxPositions, normEpsilon, tokens, inputNormEpsilon, head, dense);
    }

    /** Returns the number of weights, scales not counted. */
    long parameters() {
        return CanonicalTensors.of(this).values().stream()
                .mapToLong(CanonicalTensor::weights)
                .sum();
    }

    /**
     * The token ids with a meaning of their own.
     *
     * @param bos starts a text
     * @param eos each of them ends a text
     * @param pad fills a batch
     */
    record SpecialTokens(OptionalInt bos, List<Integer> eos, OptionalInt pad) {
        SpecialTokens {
            eos = List.copyOf(eos);
        }
    }

    /** The output head. */
    sealed interface HeadSpec {

        /** The embedding once more, as a float product. */
        record Tied() implements HeadSpec {}

        /** A linear of its own. */
        record Own(LinearStorage storage) implements HeadSpec {}
    }
}
