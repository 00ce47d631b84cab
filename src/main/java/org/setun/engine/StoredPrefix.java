package org.setun.engine;

/**
 * The state of a sequence as a {@link PrefixStore} keeps it. The arrays are not copied, and not to be changed.
 *
 * @param tokens the tokens that the model has seen, at least one
 * @param activationSparsity the activation sparsity that the state was computed with; at least 0, less than 1
 * @param state the recurrent state, then the pages that the tokens need, the last one whole: bytes that only the same model
 *     understands
 */
public record StoredPrefix(int[] tokens, double activationSparsity, byte[] state) {

    public StoredPrefix {
        if (tokens.length == 0) {
            throw new IllegalArgumentException("the prefix has no tokens");
        }
        if (!(activationSparsity >= 0 && activationSparsity < 1)) {
            throw new IllegalArgumentException(
                    "activationSparsity: expected at least 0 and less than 1, found " + activationSparsity);
        }
    }
}
