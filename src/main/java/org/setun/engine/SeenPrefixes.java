package org.setun.engine;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Remembers, of prompts that have come, where they may part from later ones: that a beginning was there, not its state. The second
 * prompt with a beginning is then read up to there and not across, so that the state can be kept for the third. For the engine
 * thread.
 */
final class SeenPrefixes {

    /** Beginnings of a multiple of so many tokens are told apart. */
    private static final int DISTANCE = 32;

    /** About a megabyte of them. */
    private static final int MAX_SEEN = 1 << 14;

    private final Map<Long, Boolean> seen = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Boolean> eldest) {
            return size() > MAX_SEEN;
        }
    };

    /**
     * Returns the length of the longest beginning of a prompt that was there before, in steps of {@value #DISTANCE} tokens and at
     * most {@code limit}; 0 if there is none. Remembers all of its beginnings.
     */
    int add(Prefix prompt, int limit) {
        int longest = 0;
        for (int count = DISTANCE; count <= limit; count += DISTANCE) {
            if (seen.put(prompt.hash(count), true) != null) {
                longest = count;
            }
        }
        return longest;
    }
}
