package org.setun.engine;

import java.util.IdentityHashMap;

/**
 * Counts what the arrays of tokens take that the entries of a {@link PrefixCache} hold, each once however many hold it: all
 * states of a prompt compare with the same one. For the engine thread.
 */
final class TokenArrays {

    private static final int HEADER_BYTES = 16;

    private final IdentityHashMap<int[], Integer> holders = new IdentityHashMap<>();
    private long bytes;

    /** Counts one more holder. */
    void hold(int[] tokens) {
        if (holders.merge(tokens, 1, Integer::sum) == 1) {
            bytes += size(tokens);
        }
    }

    /** Counts one holder less. */
    void drop(int[] tokens) {
        Integer count = holders.remove(tokens);
        if (count == null) {
            throw new IllegalStateException("tokens were dropped that nobody held");
        }
        if (count > 1) {
            holders.put(tokens, count - 1);
        } else {
            bytes -= size(tokens);
        }
    }

    /** Returns how many bytes one more holder of {@code tokens} would add. */
    long added(int[] tokens) {
        return holders.containsKey(tokens) ? 0 : size(tokens);
    }

    /** Returns what all arrays take that anybody holds. */
    long bytes() {
        return bytes;
    }

    private static long size(int[] tokens) {
        return HEADER_BYTES + (long) Integer.BYTES * tokens.length;
    }
}
