package org.setun.engine;

import java.util.ArrayList;
import java.util.List;

/**
 * Where in its prompt a sequence has left states in the {@link PrefixCache} on its way, for whoever shares no more than so much of
 * it. Another prompt shares either little of a long one, and then has much of its own to read, or nearly all of it: so the further
 * back, the fewer are left. Who shares the first {@code p} of {@code n} tokens reads at most {@code (n - p) / 4} of them again,
 * where they lie that far apart; a prompt of n tokens leaves about {@code 8 ln(n / 1024) + 8} states, and not {@code n / 128}.
 *
 * <p>Where prompts are known to part is not thinned out: that states there are what is worth the memory is Marconi's finding (Pan et
 * al., arXiv 2411.19379, section 4.1). For the engine thread.
 */
final class KeptPlaces {

    /** So many tokens must lie between two states. */
    static final int DISTANCE = 128;

    /** Between two states may lie this part of what comes after them. */
    private static final int PART = 4;

    private final List<Integer> places = new ArrayList<>();

    /** Forgets the places after the first {@code count} tokens, which are to be read again. */
    void restart(int count) {
        places.removeIf(place -> place > count);
    }

    /** Returns the places of which the state has not been given up. */
    List<Integer> all() {
        return List.copyOf(places);
    }

    /** Adds a place behind all others, and returns those of which the state is no longer worth its memory. */
    List<Integer> add(int place) {
        places.add(place);
        List<Integer> surplus = new ArrayList<>();
        int before = 0;
        for (int i = 0; i + 1 < places.size(); i++) {
            int after = places.get(i + 1);
            if (after - before <= (place - after) / PART) {
                surplus.add(places.get(i));
            } else {
                before = places.get(i);
            }
        }
        places.removeAll(surplus);
        return surplus;
    }
}
