package org.setun.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The sequences that wait until another one, which runs, has read so many tokens of what both begin with. Looking for those that need
 * wait no longer takes the number of sequences that are waited for, however many wait. For the engine thread.
 */
final class Parked {

    private static final Comparator<Sequence> SOONEST =
            Comparator.comparingInt(Sequence::awaitedTokens).thenComparing(Sequence.ORDER);

    private final Map<Sequence, TreeSet<Sequence>> byReader = new LinkedHashMap<>();

    /** Lets a sequence wait until {@code reader} has read {@code tokens} tokens or lost its memory. */
    void add(Sequence sequence, Sequence reader, int tokens) {
        sequence.await(reader, tokens);
        byReader.computeIfAbsent(reader, first -> new TreeSet<>(SOONEST)).add(sequence);
    }

    /** Removes a sequence if it is there. */
    void remove(Sequence sequence) {
        Sequence reader = sequence.awaited();
        TreeSet<Sequence> parked = reader == null ? null : byReader.get(reader);
        if (parked != null && parked.remove(sequence) && parked.isEmpty()) {
            byReader.remove(reader);
        }
        sequence.awaitNobody();
    }

    /** Takes out and returns those that need wait no longer. */
    List<Sequence> released() {
        List<Sequence> released = new ArrayList<>();
        for (Iterator<Map.Entry<Sequence, TreeSet<Sequence>>> entries =
                        byReader.entrySet().iterator();
                entries.hasNext(); ) {
            Map.Entry<Sequence, TreeSet<Sequence>> entry = entries.next();
            Sequence reader = entry.getKey();
            TreeSet<Sequence> parked = entry.getValue();
            while (!parked.isEmpty()
                    && (!reader.hasMemory()
                            || reader.computedTokens() >= parked.first().awaitedTokens())) {
                Sequence sequence = parked.removeFirst();
                sequence.awaitNobody();
                released.add(sequence);
            }
            if (parked.isEmpty()) {
                entries.remove();
            }
        }
        return released;
    }

    boolean isEmpty() {
        return byReader.isEmpty();
    }

    /** Returns all sequences. */
    List<Sequence> all() {
        return byReader.values().stream().flatMap(TreeSet::stream).toList();
    }
}
