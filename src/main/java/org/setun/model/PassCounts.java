package org.setun.model;

import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What forward passes have done, by place and {@link Measure}. One thread adds; any thread may read at any time, without a lock: a
 * number may then be of a moment before the one that is read next to it, but never goes back.
 */
public final class PassCounts {

    private static final int MEASURES = Measure.values().length;

    private final List<Place> places;
    private final AtomicLongArray counts;

    /** Where something is counted. */
    public record Place(int layer, Site site) {

        /** The layer of what stands outside of the layers. */
        public static final int NO_LAYER = -1;
    }

    /** Starts from nothing. */
    public PassCounts(List<Place> places) {
        this.places = List.copyOf(places);
        this.counts = new AtomicLongArray(places.size() * MEASURES);
    }

    /** Returns the places of the model, in the order of the computation; empty if it counts nothing. */
    public List<Place> places() {
        return places;
    }

    /**
     * Returns a count.
     *
     * @param place an index of {@link #places}
     */
    public long count(int place, Measure measure) {
        return counts.getOpaque(index(place, measure));
    }

    /** Returns the sum of a measure over all places. */
    public long sum(Measure measure) {
        long sum = 0;
        for (int place = 0; place < places.size(); place++) {
            sum += count(place, measure);
        }
        return sum;
    }

    /** Returns where a count stands in arrays of all of them. */
    static int index(int place, Measure measure) {
        return place * MEASURES + measure.index();
    }

    /** Returns how many counts there are for so many places. */
    static int size(int places) {
        return places * MEASURES;
    }

    /** Adds counts of the same places, as {@link #index} orders them. */
    void add(long[] more) {
        for (int i = 0; i < more.length; i++) {
            if (more[i] != 0) {
                counts.setOpaque(i, counts.getPlain(i) + more[i]);
            }
        }
    }
}
