package org.setun.sampling;

/** Checks parameters, named as in a request's JSON. */
final class Range {

    private Range() {}

    /** Requires a number within closed bounds. */
    static void require(String name, double value, double min, double max) {
        if (!(value >= min && value <= max)) {
            throw new IllegalArgumentException(
                    name + ": expected " + plain(min) + " to " + plain(max) + ", found " + value);
        }
    }

    /** Requires a number above 0 and at most {@code max}. */
    static void requirePositive(String name, double value, double max) {
        if (!(value > 0 && value <= max)) {
            throw new IllegalArgumentException(
                    name + ": expected more than 0 and at most " + plain(max) + ", found " + value);
        }
    }

    /** Requires a share that is not nothing. */
    static void requireShare(String name, double value) {
        requirePositive(name, value, 1);
    }

    private static String plain(double bound) {
        return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
    }
}
