package org.setun.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Which sequences are to end before they have all their tokens: those whose owner wants that, and those whose time is over. What it
 * costs to look does not depend on how many sequences there are. For the engine thread, but for {@link #request}.
 */
final class DueEnds {

    private final Queue<Sequence> requested = new ConcurrentLinkedQueue<>();
    private final TreeSet<Sequence> byDeadline;

    /** Creates the ends of sequences that are submitted from {@code nanos} of the engine's clock on. */
    DueEnds(long nanos) {
        // By differences, as the clock's numbers may overflow.
        this.byDeadline = new TreeSet<>(Comparator.<Sequence>comparingLong(
                        sequence -> sequence.earlyEnd().deadline() - nanos)
                .thenComparing(Sequence.ORDER));
    }

    /** Notes that a sequence's owner wants it to end. Any thread. */
    void request(Sequence sequence) {
        requested.add(sequence);
    }

    /** Notes that a sequence has come to the engine thread. */
    void arrived(Sequence sequence) {
        if (sequence.request().urgency().timeout().isPresent()) {
            byDeadline.add(sequence);
        }
    }

    /** Notes that a sequence has ended. */
    void ended(Sequence sequence) {
        if (sequence.request().urgency().timeout().isPresent()) {
            byDeadline.remove(sequence);
        }
    }

    /** Names each sequence that is to end at {@code nanos} of the engine's clock, and why; each is then ended. */
    void forEach(long nanos, BiConsumer<Sequence, FinishReason> end) {
        List<Sequence> notYetHere = new ArrayList<>();
        try {
            for (Sequence sequence = requested.poll(); sequence != null; sequence = requested.poll()) {
                FinishReason reason = sequence.earlyEnd().requested();
                if (!sequence.hasArrived()) {
                    notYetHere.add(sequence);
                } else if (reason != null && !sequence.earlyEnd().hasHappened()) {
                    end.accept(sequence, reason);
                }
            }
        } finally {
            requested.addAll(notYetHere);
        }
        for (Sequence next = overdue(nanos); next != null; next = overdue(nanos)) {
            end.accept(next, FinishReason.TIMEOUT);
        }
    }

    private @Nullable Sequence overdue(long nanos) {
        boolean due =
                !byDeadline.isEmpty() && nanos - byDeadline.first().earlyEnd().deadline() >= 0;
        return due ? byDeadline.first() : null;
    }

    /** Returns when, by the engine's clock, the time of a request is over that was submitted at {@code nanos}. */
    static long deadline(long nanos, Duration timeout) {
        // The conversion saturates; half of that is 146 years.
        return nanos + Math.min(TimeUnit.NANOSECONDS.convert(timeout), Long.MAX_VALUE / 2);
    }
}
