package org.setun.store;

import java.time.Duration;

/** Sees how long a store takes, for metrics. Methods may run on any thread, must be quick and must not throw. */
public interface StoreObserver {

    /** An observer that does nothing. */
    StoreObserver NONE = new StoreObserver() {};

    /** Sees that a state was saved, {@code duration} after its turn had come. */
    default void saved(Duration duration) {}

    /** Sees that a state was found and is as it was saved, {@code duration} after it was asked for. */
    default void restored(Duration duration) {}
}
