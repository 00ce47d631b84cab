package org.setun.web;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.setun.engine.RequestReport;
import org.setun.generation.GenerationEvent;

/** Gathers the timings of a request's answers, if they are wanted. For one thread at a time. */
final class AnswerTimings {

    private final boolean wanted;
    private final Supplier<Optional<Duration>> firstText;
    private final List<RequestReport> reports = new ArrayList<>();

    /**
     * Begins to gather.
     *
     * @param firstText gives how long after the request's arrival its first text was there, once it is
     */
    AnswerTimings(boolean wanted, Supplier<Optional<Duration>> firstText) {
        this.wanted = wanted;
        this.firstText = firstText;
    }

    /** Takes the end of an answer. */
    void add(GenerationEvent.Finished end) {
        if (end.report() != null) {
            reports.add(end.report());
        }
    }

    /** Returns the timings of all answers, whose ends have been taken; null if they are not wanted. */
    @Nullable
    Timings result() {
        return wanted ? Timings.of(reports, firstText.get()) : null;
    }
}
