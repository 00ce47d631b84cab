package org.setun.engine;

import org.jspecify.annotations.Nullable;

/**
 * How a sequence ends before it has all its tokens: because its owner, who has this as its handle, wants it to, or because its time
 * is over. What is not of {@link Engine.Handle} is for the engine thread.
 */
final class EarlyEnd implements Engine.Handle {

    private final Sequence sequence;
    private final DueEnds ends;
    private final long deadline;

    private volatile @Nullable FinishReason requested;
    private volatile boolean ended;

    EarlyEnd(Sequence sequence, DueEnds ends, long submittedNanos) {
        this.sequence = sequence;
        this.ends = ends;
        this.deadline = sequence.request()
                .urgency()
                .timeout()
                .map(timeout -> DueEnds.deadline(submittedNanos, timeout))
                .orElse(0L);
    }

    @Override
    public void cancel() {
        request(FinishReason.CANCELLED);
    }

    @Override
    public void stop() {
        request(FinishReason.STOP);
    }

    /** Keeps the first reason: what comes later finds the request ended. */
    private synchronized void request(FinishReason reason) {
        if (requested == null && !ended) {
            requested = reason;
            ends.request(sequence);
        }
    }

    /** Returns why the owner wants the sequence to end; null if it is wanted. */
    @Nullable
    FinishReason requested() {
        return requested;
    }

    /** Returns when, by the engine's clock, the sequence's time is over; it has a timeout. */
    long deadline() {
        return deadline;
    }

    /** Notes that the sequence has ended. */
    void happened() {
        ended = true;
    }

    /** Returns whether the sequence has ended. */
    boolean hasHappened() {
        return ended;
    }
}
