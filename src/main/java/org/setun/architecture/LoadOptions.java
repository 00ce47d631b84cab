package org.setun.architecture;

import java.util.OptionalDouble;
import org.setun.model.KeyValueFormat;

/**
 * How a model is to be loaded.
 *
 * @param keyValues how attention is to keep keys and values
 * @param maxActivationSparsity the most activation sparsity that requests may ask for, at least 0 and less than 1. Above 0,
 *     all layers keep their ternary weights in a second layout, from which columns can be left out, and so take twice the
 *     memory; at 0 only those layers do that are sparse by themselves. Empty for the limit that costs nothing: {@value
 *     #FREE_LIMIT} where all layers are sparse by themselves, else 0
 * @param head how logits are computed where only the largest matter
 * @param ownSparsity whether layers drop the activations that the checkpoint says; otherwise they drop only what requests ask for
 */
public record LoadOptions(
        KeyValueFormat keyValues, OptionalDouble maxActivationSparsity, HeadMode head, boolean ownSparsity) {

    private static final double FREE_LIMIT = 0.9;

    public LoadOptions {
        if (maxActivationSparsity.isPresent()
                && !(maxActivationSparsity.getAsDouble() >= 0 && maxActivationSparsity.getAsDouble() < 1)) {
            throw new IllegalArgumentException("maxActivationSparsity: expected at least 0 and less than 1, found "
                    + maxActivationSparsity.getAsDouble());
        }
    }

    /** Creates options under which layers are as sparse as the checkpoint says. */
    public LoadOptions(KeyValueFormat keyValues, OptionalDouble maxActivationSparsity, HeadMode head) {
        this(keyValues, maxActivationSparsity, head, true);
    }

    /** Returns the options that keep keys and values so and take no memory for what requests may ask for. */
    public static LoadOptions of(KeyValueFormat keyValues) {
        return new LoadOptions(keyValues, OptionalDouble.empty(), HeadMode.AUTO);
    }

    /** Returns what is to be built of a checkpoint that says {@code stored}. */
    ModelSpec spec(ModelSpec stored) {
        return ownSparsity ? stored : stored.dense();
    }

    /** Returns the limit for a model. */
    double limit(ModelSpec spec) {
        boolean sparse = spec.layers().stream().noneMatch(layer -> layer.sparsity() instanceof SparsitySpec.Dense);
        return maxActivationSparsity.orElse(sparse ? FREE_LIMIT : 0);
    }
}
