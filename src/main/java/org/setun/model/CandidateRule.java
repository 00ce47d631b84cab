package org.setun.model;

/**
 * Which tokens may come to be chosen from a row of logits. A model may leave out the logits of all others; those that it
 * computes do not depend on the rule.
 */
public sealed interface CandidateRule {

    /** Any token. */
    record All() implements CandidateRule {}

    /**
     * One of the tokens with the largest logits, ties included.
     *
     * @param count how many, at least 1
     */
    record Best(int count) implements CandidateRule {

        public Best {
            if (count < 1) {
                throw new IllegalArgumentException("expected at least one candidate, found " + count);
            }
        }
    }

    /**
     * One of the tokens whose logits are close to the largest.
     *
     * @param distance how much less than the largest a logit may be, at least 0
     */
    record Near(double distance) implements CandidateRule {

        public Near {
            if (!(distance >= 0)) {
                throw new IllegalArgumentException("expected a distance of 0 or more, found " + distance);
            }
        }
    }

    /**
     * One of the smallest set of most probable tokens whose probability reaches {@code mass}.
     *
     * @param temperature what logits are divided by before they become probabilities, more than 0
     * @param mass more than 0, less than 1
     */
    record Nucleus(double temperature, double mass) implements CandidateRule {

        public Nucleus {
            if (!(temperature > 0)) {
                throw new IllegalArgumentException("expected a temperature above 0, found " + temperature);
            }
            if (!(mass > 0 && mass < 1)) {
                throw new IllegalArgumentException("expected a mass above 0 and less than 1, found " + mass);
            }
        }
    }

    /**
     * The token with the largest {@code logit / temperature + noise}.
     *
     * @param temperature more than 0
     * @param noise the same for every call with the same argument
     */
    record Perturbed(double temperature, Noise noise) implements CandidateRule {

        public Perturbed {
            if (!(temperature > 0)) {
                throw new IllegalArgumentException("expected a temperature above 0, found " + temperature);
            }
        }
    }

    /** A number for each token. For one thread at a time. */
    interface Noise {

        /** Returns how many neighbouring tokens make up a block. */
        int block();

        /** Returns the largest number of the block {@code [block * index, block * (index + 1))}. */
        double largest(int index);

        /** Returns the number of token {@code id}. */
        double of(int id);
    }
}
