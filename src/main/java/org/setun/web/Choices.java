package org.setun.web;

import java.util.OptionalLong;
import java.util.SplittableRandom;

/**
 * How many answers each prompt gets.
 *
 * @param shown how many are shown, at least 1
 * @param generated how many are generated, at least {@code shown}: the best of them are shown
 */
record Choices(int shown, int generated) {

    /** How many answers one request may have generated; each takes a place in the engine's queue. */
    static final int MAX = 128;

    /** One answer. */
    static final Choices ONE = new Choices(1, 1);

    /**
     * Reads the fields {@code n} and {@code best_of}.
     *
     * @throws ApiException if they do not go together, or ask for too much
     */
    static Choices read(JsonFields fields, int prompts, boolean stream) {
        int shown = fields.integer("n", 1, MAX).orElse(1);
        int generated = fields.integer("best_of", 1, MAX).orElse(shown);
        if (generated < shown) {
            throw ApiException.invalidValue(
                    "best_of", "best_of: expected at least n, which is " + shown + ", found " + generated);
        }
        if (generated > shown && stream) {
            throw ApiException.invalidValue(
                    "best_of",
                    "best_of: expected n, which is " + shown + ", together with \"stream\": true, as the best answer is"
                            + " only known when all have ended, found " + generated);
        }
        if (prompts * generated > MAX) {
            String field = generated > shown ? "best_of" : "n";
            throw ApiException.invalidValue(
                    field,
                    field + ": expected at most " + MAX + " answers to all prompts together, found " + prompts
                            + " prompts times " + generated);
        }
        return new Choices(shown, generated);
    }

    /** Returns whether the answers are ranked and not all shown. */
    boolean areRanked() {
        return generated > shown;
    }

    /**
     * Returns the seed of an answer: the request's own for the first, so that it is the same whatever others there are, and the {@code
     * choice}-th number of SplitMix64 from it for the others.
     */
    static OptionalLong seed(OptionalLong requested, int choice) {
        if (requested.isEmpty() || choice == 0) {
            return requested;
        }
        SplittableRandom random = new SplittableRandom(requested.getAsLong());
        long seed = 0;
        for (int i = 0; i < choice; i++) {
            seed = random.nextLong();
        }
        return OptionalLong.of(seed);
    }
}
