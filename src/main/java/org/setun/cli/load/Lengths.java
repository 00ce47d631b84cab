package org.setun.cli.load;

import java.util.List;
import java.util.random.RandomGenerator;

/** How many tokens requests have: all as many, or drawn for each. */
public sealed interface Lengths {

    /** The most tokens that a request may have. */
    int MOST = 1 << 20;

    /** Returns the next length, 1 to {@link #MOST}. */
    int next(RandomGenerator random);

    /** Returns the distribution as {@link #parse} reads it. */
    @Override
    String toString();

    /**
     * Reads {@code 512}, {@code uniform:100-900}, where both ends are possible, or {@code lognormal:512,0.6}: a mean, and the
     * standard deviation of the length's logarithm.
     *
     * @throws IllegalArgumentException if it is none of these, or lengths under 1 or over {@link #MOST} are asked for; with a
     *     message for the user
     */
    static Lengths parse(String text) {
        String[] parts = text.split(":", 2);
        try {
            if (parts.length == 1) {
                return new Fixed(Integer.parseInt(text));
            }
            String[] values = parts[1].split(parts[0].equals("uniform") ? "-" : ",", 2);
            if (values.length == 2 && parts[0].equals("uniform")) {
                return new Uniform(Integer.parseInt(values[0]), Integer.parseInt(values[1]));
            }
            if (values.length == 2 && parts[0].equals("lognormal")) {
                return new LogNormal(Double.parseDouble(values[0]), Double.parseDouble(values[1]));
            }
        } catch (NumberFormatException e) {
            // Said below, for every kind of wrong text alike.
        }
        throw new IllegalArgumentException(
                "expected a length such as " + String.join(" or ", EXAMPLES) + ", found " + text);
    }

    /** One of each kind. */
    List<String> EXAMPLES = List.of("512", "uniform:100-900", "lognormal:512,0.6");

    /**
     * Always the same length.
     *
     * @param tokens the length
     */
    record Fixed(int tokens) implements Lengths {
        public Fixed {
            requireRange(tokens);
        }

        @Override
        public int next(RandomGenerator random) {
            return tokens;
        }

        @Override
        public String toString() {
            return Integer.toString(tokens);
        }
    }

    /**
     * Every length from one to another is as likely.
     *
     * @param least the shortest
     * @param most the longest
     */
    record Uniform(int least, int most) implements Lengths {
        public Uniform {
            requireRange(least);
            requireRange(most);
            if (least > most) {
                throw new IllegalArgumentException("expected a range that ascends, found " + least + "-" + most);
            }
        }

        @Override
        public int next(RandomGenerator random) {
            return random.nextInt(least, most + 1);
        }

        @Override
        public String toString() {
            return "uniform:" + least + "-" + most;
        }
    }

    /**
     * Lengths whose logarithm is normal, as those of real prompts and answers nearly are; what is drawn under 1 or over
     * {@link #MOST} becomes that.
     *
     * @param mean of the lengths: exp(mu + sigma²/2), from which mu follows
     * @param sigma the standard deviation of the logarithm
     */
    record LogNormal(double mean, double sigma) implements Lengths {
        public LogNormal {
            if (!(mean >= 1 && mean <= MOST)) {
                throw new IllegalArgumentException("expected a mean of 1 to " + MOST + ", found " + mean);
            }
            if (!(sigma >= 0 && sigma <= MOST_SIGMA)) {
                throw new IllegalArgumentException("expected a sigma of 0 to " + MOST_SIGMA + ", found " + sigma);
            }
        }

        @Override
        public int next(RandomGenerator random) {
            double mu = Math.log(mean) - sigma * sigma / 2;
            return Math.clamp(Math.round(Math.exp(mu + sigma * random.nextGaussian())), 1, MOST);
        }

        @Override
        public String toString() {
            return "lognormal:" + mean + "," + sigma;
        }
    }

    /** A deviation beyond which nearly all lengths are 1 and the mean is never met. */
    double MOST_SIGMA = 5;

    private static void requireRange(int tokens) {
        if (tokens < 1 || tokens > MOST) {
            throw new IllegalArgumentException("expected 1 to " + MOST + " tokens, found " + tokens);
        }
    }
}
