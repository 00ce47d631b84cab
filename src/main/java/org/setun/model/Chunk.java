package org.setun.model;

/**
 * A run of consecutive tokens of one sequence.
 *
 * @param state the sequence's memory after the tokens before this chunk
 * @param position how many tokens came before
 * @param tokens the token ids, at least one; not copied, and not to be changed while the batch runs
 * @param wanted what is computed of the tokens besides the state
 * @param activationSparsity the fraction of activations to drop in every ternary linear of the layers, where the layer does
 *     not drop more by itself; at least 0, less than 1
 * @param candidates which logits of a wanted row matter; noise is for {@link Wanted#LAST} only
 */
public record Chunk(
        SequenceState state,
        int position,
        int[] tokens,
        Wanted wanted,
        double activationSparsity,
        CandidateRule candidates) {

    /** What a chunk's tokens are run for, besides the state. */
    public enum Wanted {
        /** Nothing. */
        NONE,
        /** The last token's logits. */
        LAST,
        /** All tokens' logits. */
        ALL,
        /** All tokens' final hidden states, see {@link Workspace#hidden}. */
        HIDDEN
    }

    public Chunk {
        if (tokens.length == 0) {
            throw new IllegalArgumentException("a chunk needs a token");
        }
        if (position < 0) {
            throw new IllegalArgumentException("negative position " + position);
        }
        if (wanted == Wanted.ALL && candidates instanceof CandidateRule.Perturbed) {
            throw new IllegalArgumentException("noise is for one token's successor, found all wanted");
        }
        if (!(activationSparsity >= 0 && activationSparsity < 1)) {
            throw new IllegalArgumentException(
                    "expected an activation sparsity of at least 0 and less than 1, found " + activationSparsity);
        }
    }

    /** Creates a chunk of whose wanted rows all logits matter. */
    public Chunk(SequenceState state, int position, int[] tokens, Wanted wanted, double activationSparsity) {
        this(state, position, tokens, wanted, activationSparsity, new CandidateRule.All());
    }

    /** Creates a chunk with the layers' own activation sparsity, of whose wanted rows all logits matter. */
    public Chunk(SequenceState state, int position, int[] tokens, Wanted wanted) {
        this(state, position, tokens, wanted, 0);
    }

    /** Returns how many rows of logits this chunk wants. */
    public int logitRows() {
        return switch (wanted) {
            case NONE, HIDDEN -> 0;
            case LAST -> 1;
            case ALL -> tokens.length;
        };
    }
}
