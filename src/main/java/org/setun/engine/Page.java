package org.setun.engine;

import java.lang.foreign.MemorySegment;

/**
 * A page of keys and values, which any number of sequences with the same beginning and the {@link PrefixCache} hold together. Who
 * shares a page only reads it. For the engine thread.
 */
final class Page {

    private final MemorySegment memory;
    private int holders;
    private int sequences;

    Page(MemorySegment memory) {
        this.memory = memory;
    }

    MemorySegment memory() {
        return memory;
    }

    /** Counts one more holder. */
    void hold() {
        holders++;
    }

    /** Counts one holder less, and returns whether it was the last. */
    boolean drop() {
        if (holders == 0) {
            throw new IllegalStateException("a page was released that nobody held");
        }
        holders--;
        return holders == 0;
    }

    /** Counts one more running sequence among the holders, and returns whether it is the only one. */
    boolean enter() {
        sequences++;
        return sequences == 1;
    }

    /** Counts one running sequence less among the holders, and returns whether it was the last. */
    boolean leave() {
        sequences--;
        return sequences == 0;
    }

    /** Returns whether there are others beside the one who asks. */
    boolean isShared() {
        return holders > 1;
    }
}
