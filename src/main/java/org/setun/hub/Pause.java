package org.setun.hub;

import java.time.Duration;

/** Lets time pass; tests let none. */
@FunctionalInterface
interface Pause {

    /** Real time. */
    Pause REAL = Thread::sleep;

    /** Returns after {@code duration}. */
    void sleep(Duration duration) throws InterruptedException;
}
