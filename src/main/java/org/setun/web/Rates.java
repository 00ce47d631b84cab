package org.setun.web;

/**
 * How much a caller may ask for. What it has not used for a minute it may use at once, and no more than that.
 *
 * @param requestsPerMinute requests in a minute, at most {@link #MAX}; 0 for as many as it likes
 * @param tokensPerMinute tokens of prompts and answers in a minute, at most {@link #MAX}; 0 for as many as it likes
 */
public record Rates(long requestsPerMinute, long tokensPerMinute) {

    /** The highest rate: no machine reaches it, and a bucket can count it by the nanosecond. */
    public static final long MAX = 1_000_000_000;

    /** No limits. */
    public static final Rates UNLIMITED = new Rates(0, 0);

    public Rates {
        requireRate("requestsPerMinute", requestsPerMinute);
        requireRate("tokensPerMinute", tokensPerMinute);
    }

    private static void requireRate(String name, long rate) {
        if (rate < 0 || rate > MAX) {
            throw new IllegalArgumentException(name + ": expected 0 to " + MAX + ", found " + rate);
        }
    }
}
