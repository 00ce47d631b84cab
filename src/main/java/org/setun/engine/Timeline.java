package org.setun.engine;

import java.time.Duration;

/** When what happened to a request, by the engine's clock. For the engine thread. */
final class Timeline {

    private final long submittedNanos;
    private long startedNanos;
    private long firstTokenNanos;
    private long lastTokenNanos;
    private boolean started;
    private boolean generated;

    Timeline(long submittedNanos) {
        this.submittedNanos = submittedNanos;
    }

    /** Returns whether the request has had a place in the engine. */
    boolean started() {
        return started;
    }

    /** Notes that the request got its first place in the engine, and returns how long it waited. */
    Duration startedAt(long nanos) {
        started = true;
        startedNanos = nanos;
        return sinceSubmission(nanos);
    }

    /** Notes a generated token, and tells the observer. */
    void generatedAt(long nanos, String id, EngineObserver observer) {
        if (generated) {
            observer.nextToken(id, Duration.ofNanos(nanos - lastTokenNanos));
        } else {
            generated = true;
            firstTokenNanos = nanos;
            observer.firstToken(id, sinceSubmission(nanos));
        }
        lastTokenNanos = nanos;
    }

    /** Returns how long ago the request was submitted. */
    Duration sinceSubmission(long nanos) {
        return Duration.ofNanos(nanos - submittedNanos);
    }

    /** Returns what the request took, ending now. */
    RequestReport report(String id, TokenCounts tokens, long nanos) {
        long start = started ? startedNanos : nanos;
        long firstToken = generated ? firstTokenNanos : nanos;
        return new RequestReport(
                id,
                tokens,
                Duration.ofNanos(start - submittedNanos),
                Duration.ofNanos(firstToken - start),
                Duration.ofNanos(nanos - firstToken));
    }
}
