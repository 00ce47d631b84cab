package org.setun.engine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The sequences that wait for memory, in the order in which they get it: those of the lowest priority number, of these first those
 * that have run before, then those of the caller who has been served the fewest tokens, and of one caller the earliest. So a caller
 * with one request need not wait for all of another one's hundreds. That is the virtual token counter of Sheng et al., Fairness in
 * Serving Large Language Models (arXiv 2401.00588, algorithm 2), with all tokens of the same weight: who comes back after a while
 * starts level with the others, since what he has not used is not saved up.
 *
 * <p>Adding and removing take the logarithm of the number of sequences, the rest the number of callers that wait. For the engine
 * thread.
 */
final class WaitingLine {

    /** One who sends requests. */
    private static final class Caller {

        private long servedTokens;
        private int waiting;
    }

    /** The sequences of one priority. */
    private static final class Level {

        private final TreeSet<Sequence> resumed = new TreeSet<>(Sequence.ORDER);
        private final Map<Caller, TreeSet<Sequence>> byCaller = new HashMap<>();

        boolean isEmpty() {
            return resumed.isEmpty() && byCaller.isEmpty();
        }

        Sequence first() {
            if (!resumed.isEmpty()) {
                return resumed.first();
            }
            Sequence next = null;
            long least = 0;
            for (Map.Entry<Caller, TreeSet<Sequence>> entry : byCaller.entrySet()) {
                Sequence first = entry.getValue().first();
                long served = entry.getKey().servedTokens;
                if (next == null || served < least || (served == least && Sequence.ORDER.compare(first, next) < 0)) {
                    next = first;
                    least = served;
                }
            }
            // No level without sequences is kept.
            return Objects.requireNonNull(next);
        }
    }

    private final TreeMap<Integer, Level> levels = new TreeMap<>();
    // Of as many callers as there are keys.
    private final Map<String, Caller> callers = new HashMap<>();
    private long servedWhoLeftLast;

    /** Adds a sequence that has arrived and has no memory. */
    void add(Sequence sequence) {
        Level level = levels.computeIfAbsent(sequence.request().urgency().priority(), priority -> new Level());
        if (sequence.timeline().started()) {
            level.resumed.add(sequence);
            return;
        }
        Caller caller = caller(sequence);
        if (caller.waiting++ == 0) {
            caller.servedTokens = Math.max(caller.servedTokens, leastServedOfOthers(caller));
        }
        level.byCaller
                .computeIfAbsent(caller, first -> new TreeSet<>(Sequence.ORDER))
                .add(sequence);
    }

    private Caller caller(Sequence sequence) {
        return callers.computeIfAbsent(sequence.request().urgency().caller(), name -> new Caller());
    }

    private long leastServedOfOthers(Caller caller) {
        return callers.values().stream()
                .filter(other -> other != caller && other.waiting > 0)
                .mapToLong(other -> other.servedTokens)
                .min()
                .orElse(servedWhoLeftLast);
    }

    /** Removes a sequence if it is there. */
    void remove(Sequence sequence) {
        int priority = sequence.request().urgency().priority();
        Level level = levels.get(priority);
        if (level == null) {
            return;
        }
        Caller caller = caller(sequence);
        TreeSet<Sequence> line = level.byCaller.get(caller);
        if (!level.resumed.remove(sequence) && line != null && line.remove(sequence)) {
            if (line.isEmpty()) {
                level.byCaller.remove(caller);
            }
            if (--caller.waiting == 0) {
                servedWhoLeftLast = caller.servedTokens;
            }
        }
        if (level.isEmpty()) {
            levels.remove(priority);
        }
    }

    /** Counts tokens that were computed for the caller of a sequence. */
    void served(Sequence sequence, int tokens) {
        caller(sequence).servedTokens += tokens;
    }

    /** Returns the sequence whose turn it is; null if none waits. */
    @Nullable
    Sequence first() {
        return levels.isEmpty() ? null : levels.firstEntry().getValue().first();
    }

    boolean isEmpty() {
        return levels.isEmpty();
    }

    /** Returns all sequences. */
    Collection<Sequence> all() {
        List<Sequence> all = new ArrayList<>();
        for (Level level : levels.values()) {
            all.addAll(level.resumed);
            level.byCaller.values().forEach(all::addAll);
        }
        return all;
    }
}
