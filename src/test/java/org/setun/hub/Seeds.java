package org.setun.hub;

/** Seeds of the random tests. */
final class Seeds {

    private static final String PROPERTY = "setun.test.seed";

    private Seeds() {}

    /** Returns a fresh seed, or the one given by a property, and prints how to run {@code test} with it again. */
    static long next(String test) {
        long seed = Long.getLong(PROPERTY, System.nanoTime());
        System.out.printf("%s: rerun with ./mvnw test -Dtest='%s' -D%s=%d%n", test, test, PROPERTY, seed);
        return seed;
    }
}
