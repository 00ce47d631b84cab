package org.setun.sampling;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Sequences of tokens that {@link Dry} takes no repetition across. Immutable. */
public final class SequenceBreakers {

    /** There are none. */
    public static final SequenceBreakers NONE = new SequenceBreakers(List.of());

    private final List<List<Integer>> sequences;
    private final int[] heads;
    /** By head, what follows it in each of its sequences, longest first. */
    private final int[][][] tails;

    /**
     * Creates breakers.
     *
     * @throws IllegalArgumentException if a sequence is empty
     */
    public SequenceBreakers(Collection<List<Integer>> sequences) {
        this.sequences = sequences.stream().distinct().map(List::copyOf).toList();
        if (this.sequences.contains(List.<Integer>of())) {
            throw new IllegalArgumentException("expected breakers of one token or more, found an empty one");
        }
        Map<Integer, List<List<Integer>>> byHead = this.sequences.stream()
                .collect(Collectors.groupingBy(List::getFirst, TreeMap::new, Collectors.toList()));
        this.heads = byHead.keySet().stream().mapToInt(Integer::intValue).toArray();
        this.tails = byHead.values().stream().map(SequenceBreakers::tails).toArray(int[][][]::new);
    }

    private static int[][] tails(List<List<Integer>> sequences) {
        return sequences.stream()
                .sorted(Comparator.<List<Integer>>comparingInt(List::size).reversed())
                .map(sequence ->
                        sequence.stream().skip(1).mapToInt(Integer::intValue).toArray())
                .toArray(int[][]::new);
    }

    /** Returns whether a token is a breaker on its own. */
    boolean breaksAlone(int token) {
        int head = Arrays.binarySearch(heads, token);
        return head >= 0 && tails[head][tails[head].length - 1].length == 0;
    }

    /**
     * Returns how many of the {@code count} last of {@code total} tokens follow the last breaker that is complete; {@code count} if
     * there is none. Of several breakers that begin with the same token the longest is meant.
     */
    int tokensSince(int[] tokens, int total, int count) {
        for (int back = 0; back < count && heads.length > 0; back++) {
            int at = total - 1 - back;
            int head = Arrays.binarySearch(heads, tokens[at]);
            if (head >= 0) {
                for (int[] tail : tails[head]) {
                    if (tail.length <= back
                            && Arrays.equals(tail, 0, tail.length, tokens, at + 1, at + 1 + tail.length)) {
                        return back - tail.length;
                    }
                }
            }
        }
        return count;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SequenceBreakers breakers && sequences.equals(breakers.sequences);
    }

    @Override
    public int hashCode() {
        return sequences.hashCode();
    }

    @Override
    public String toString() {
        return "SequenceBreakers" + sequences;
    }
}
