package org.setun.cli;

/** Work that is timed part by part, over and over. */
interface Workload {

    /** Returns the number of parts that make up the work, at least 1. */
    int parts();

    /** Returns how many units part {@code part} is: tokens, or bytes. */
    long units(int part);

    /** Does part {@code part} of {@link #parts}; after the last comes the first again, and any may be repeated. */
    void run(int part);
}
