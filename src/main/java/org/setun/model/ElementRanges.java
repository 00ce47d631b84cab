package org.setun.model;

/** How element-wise work is split among threads. */
final class ElementRanges {

    /**
     * Elements that a worker takes at least: whole cache lines, and enough of them that handing over a part costs less than
     * computing it.
     */
    static final int GRANULARITY = 512;

    private ElementRanges() {}
}
