package org.setun.architecture;

import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;

/**
 * One layer.
 *
 * @param mixer carries information from token to token
 * @param channel transforms each token
 * @param sparsity which activations the ternary linears of this layer keep
 * @param storage how the weights of this layer are stored
 */
record LayerSpec(MixerSpec mixer, ChannelSpec channel, SparsitySpec sparsity, Storage storage) {

    /**
     * How the weights of a layer are stored.
     *
     * @param linear the linears, but for the float ones
     * @param experts the expert tables
     * @param floatLinears linears that stay float, named as in {@code channel.down_proj}
     */
    record Storage(LinearStorage linear, LinearStorage experts, Set<String> floatLinears) {

        Storage {
            // Sorted, so that equal specifications print alike in every process.
            floatLinears = Collections.unmodifiableSortedSet(new TreeSet<>(floatLinears));
        }

        /** Returns how the linear with the given name within the layer is stored. */
        LinearStorage of(String linearName) {
            return floatLinears.contains(linearName) ? LinearStorage.FLOAT : linear;
        }
    }
}
