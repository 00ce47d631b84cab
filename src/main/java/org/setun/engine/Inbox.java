package org.setun.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The way into the engine: hands requests from any thread to the engine thread, and counts those that wait and those that
 * have not ended, so that it can refuse and drain. Thread-safe; every method but the two waiting ones returns at once.
 */
final class Inbox {

    private enum Phase {
        ACCEPTING,
        DRAINING,
        CLOSING
    }

    private final int maxWaiting;
    private final long maxWaitingTokens;
    private final List<Sequence> arrived = new ArrayList<>();
    private Phase phase = Phase.ACCEPTING;
    private int waiting;
    private long waitingTokens;
    private int unended;

    /**
     * Creates an inbox.
     *
     * @param maxWaiting how many requests may wait
     * @param maxWaitingTokens how many tokens the prompts of those may have together; one alone may have more
     */
    Inbox(int maxWaiting, long maxWaitingTokens) {
        this.maxWaiting = maxWaiting;
        this.maxWaitingTokens = maxWaitingTokens;
    }

    /** Takes a request, or tells why not. */
    synchronized Optional<EngineRejectedException.Reason> offer(Sequence sequence) {
        Optional<EngineRejectedException.Reason> refusal = refusal(sequence);
        if (refusal.isPresent()) {
            return refusal;
        }
        arrived.add(sequence);
        waiting++;
        waitingTokens += sequence.promptTokens();
        unended++;
        notifyAll();
        return Optional.empty();
    }

    /** Returns why a request would not be taken now. */
    synchronized Optional<EngineRejectedException.Reason> refusal(Sequence sequence) {
        if (phase != Phase.ACCEPTING) {
            return Optional.of(EngineRejectedException.Reason.DRAINING);
        }
        if (waiting == maxWaiting) {
            return Optional.of(EngineRejectedException.Reason.QUEUE_FULL);
        }
        if (waiting > 0 && waitingTokens + sequence.promptTokens() > maxWaitingTokens) {
            return Optional.of(EngineRejectedException.Reason.TOKENS_FULL);
        }
        return Optional.empty();
    }

    /**
     * Parks the engine thread while it is idle and nothing arrives. Returns false once the engine is closing.
     */
    synchronized boolean awaitWork(boolean idle) {
        while (idle && arrived.isEmpty() && phase != Phase.CLOSING) {
            try {
                wait();
            } catch (InterruptedException e) {
                // Only close() ends the engine thread: an interrupt that an event consumer left behind means nothing
                // here.
            }
        }
        return phase != Phase.CLOSING;
    }

    /** Hands over what has arrived, in order. */
    synchronized List<Sequence> drain() {
        List<Sequence> all = List.copyOf(arrived);
        arrived.clear();
        return all;
    }

    /** Notes that a request got its first place in the engine. */
    synchronized void started(Sequence sequence) {
        waiting--;
        waitingTokens -= sequence.promptTokens();
    }

    /** Notes that a request has ended. */
    synchronized void ended(Sequence sequence) {
        if (!sequence.timeline().started()) {
            started(sequence);
        }
        unended--;
        if (unended == 0) {
            notifyAll();
        }
    }

    /** Refuses requests from now on. */
    synchronized void stopAccepting() {
        if (phase == Phase.ACCEPTING) {
            phase = Phase.DRAINING;
        }
    }

    /** Tells the engine thread to end. */
    synchronized void close() {
        phase = Phase.CLOSING;
        notifyAll();
    }

    /** Waits until every accepted request has ended, at most {@code timeout}. */
    synchronized void awaitEmpty(Duration timeout) throws InterruptedException {
        long start = System.nanoTime();
        // This conversion saturates, so that a timeout of centuries means what it says.
        long limit = TimeUnit.NANOSECONDS.convert(timeout);
        long left = limit;
        while (unended > 0 && left > 0) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
            left = limit - (System.nanoTime() - start);
        }
    }

    /** Returns how many accepted requests have not had a place in the engine yet. */
    synchronized int waiting() {
        return waiting;
    }

    /** Returns whether requests are taken. */
    synchronized boolean accepting() {
        return phase == Phase.ACCEPTING;
    }
}
