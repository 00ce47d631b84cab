package org.setun.engine;

/**
 * Decides how many tokens of prompts a step may read beside sequences that generate, so that it takes no longer than a multiple of
 * what it would take without. What a step takes is measured, as it depends on the model, the machine and the number of sequences.
 * Only the time of an answer depends on it, never its tokens. For the engine thread.
 */
final class PrefillBudget {

    /** The weight of the newest measurement. */
    private static final double NEWEST = 0.2;

    /** So many times as long as usual a measurement is taken for at most: a pause of the machine is not what a token costs. */
    private static final double LONGEST = 2;

    /** What is read beside others before anything has been measured. */
    private static final int UNMEASURED = 16;

    private final double maxSlowdown;
    private final double[] decodeSeconds;
    private double tokenSeconds = Double.NaN;

    /**
     * Creates a budget without measurements.
     *
     * @param maxSlowdown how many times as long as without prompts a step may take, more than 1
     * @param maxSequences how many sequences may generate at once
     */
    PrefillBudget(double maxSlowdown, int maxSequences) {
        this.maxSlowdown = maxSlowdown;
        this.decodeSeconds = new double[maxSequences + 1];
    }

    /** Returns how many tokens of prompts to read beside {@code decoding} sequences, from 1 to {@code max}, which is 1 or more. */
    int tokens(int decoding, int max) {
        if (decoding == 0) {
            return max;
        }
        double alone = decodeSeconds(decoding);
        if (alone == 0 || Double.isNaN(tokenSeconds)) {
            return Math.min(max, UNMEASURED);
        }
        return (int) Math.clamp((maxSlowdown - 1) * alone / tokenSeconds, 1, max);
    }

    /** Returns what a step of that many sequences took, or of the nearest number that was measured; 0 if none was. */
    private double decodeSeconds(int decoding) {
        for (int distance = 0; distance < decodeSeconds.length; distance++) {
            for (int near : new int[] {decoding - distance, decoding + distance}) {
                if (near > 0 && near < decodeSeconds.length && decodeSeconds[near] > 0) {
                    return decodeSeconds[near];
                }
            }
        }
        return 0;
    }

    /** Notes what a step took that let {@code decoding} sequences generate and read so many tokens of prompts. */
    void measured(int decoding, int promptTokens, double seconds) {
        if (promptTokens == 0) {
            double known = decodeSeconds[decoding];
            decodeSeconds[decoding] = known == 0 ? seconds : updated(known, seconds);
            return;
        }
        // A prompt alone shows it too dear, with the weights that are read once a step; better than nothing.
        double added = Math.max(0, seconds - (decoding == 0 ? 0 : decodeSeconds(decoding))) / promptTokens;
        if (Double.isNaN(tokenSeconds)) {
            tokenSeconds = added;
        } else if (decoding > 0) {
            tokenSeconds = updated(tokenSeconds, added);
        }
    }

    private static double updated(double known, double measured) {
        // Something is added, or what was once measured as free would stay so.
        return known + NEWEST * (Math.min(measured, LONGEST * known + 1e-5) - known);
    }
}
