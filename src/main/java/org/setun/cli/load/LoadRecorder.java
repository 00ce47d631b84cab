package org.setun.cli.load;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** Gathers what became of requests. Thread-safe. */
final class LoadRecorder {

    private static final int DIGITS = 3;
    private static final double NANOS = 1e9;

    private final Histogram firstToken = new Histogram(DIGITS);
    private final Histogram interToken = new Histogram(DIGITS);
    private final Histogram perOutputToken = new Histogram(DIGITS);
    private final Histogram endToEnd = new Histogram(DIGITS);
    private final Histogram sendDelay = new Histogram(DIGITS);
    private final Map<String, LoadReport.ErrorKind> errors = new TreeMap<>();
    private long completed;
    private long rejected;
    private long failed;
    private long promptTokens;
    private long cachedTokens;
    private long outputTokens;
    private long uncounted;
    private int running;
    private int mostRunning;
    private long lastEnd = Long.MIN_VALUE;

    synchronized void started() {
        mostRunning = Math.max(mostRunning, ++running);
    }

    /** Takes the outcome of a request that has {@link #started}. */
    synchronized void ended(Outcome outcome) {
        running--;
        record(sendDelay, outcome.sent() - outcome.intended());
        lastEnd = completed + rejected + failed == 0 ? outcome.ended() : Math.max(lastEnd, outcome.ended());
        switch (outcome) {
            case Outcome.Completed answer -> complete(answer);
            case Outcome.Rejected no -> rejected++;
            case Outcome.Failed failure -> {
                failed++;
                errors.merge(
                        failure.kind(),
                        new LoadReport.ErrorKind(failure.kind(), 1, failure.message()),
                        (known, one) -> new LoadReport.ErrorKind(known.kind(), known.count() + 1, known.first()));
            }
        }
    }

    private void complete(Outcome.Completed answer) {
        completed++;
        record(firstToken, answer.first() - answer.intended());
        record(endToEnd, answer.ended() - answer.intended());
        for (long gap : answer.gaps()) {
            record(interToken, gap);
        }
        if (answer.outputTokens() > 1) {
            record(perOutputToken, (answer.last() - answer.first()) / (answer.outputTokens() - 1));
        }
        promptTokens += answer.promptTokens();
        cachedTokens += answer.cachedTokens();
        outputTokens += answer.outputTokens();
        uncounted += answer.counted() ? 0 : 1;
    }

    private static void record(Histogram micros, long nanos) {
        micros.recordValue(Math.max(0, TimeUnit.NANOSECONDS.toMicros(nanos)));
    }

    /**
     * Returns the report of a run that has ended.
     *
     * @param start when it began, by {@link System#nanoTime}
     */
    synchronized LoadReport report(LoadPlan plan, ServedModel served, long start) {
        long requests = completed + rejected + failed;
        double seconds = requests == 0 ? 0 : Math.max(lastEnd - start, 1) / NANOS;
        Workload workload = plan.workload();
        List<LoadReport.ErrorKind> kinds = new ArrayList<>(errors.values());
        return new LoadReport(
                plan.server() + plan.endpoint().path(),
                served.name().isEmpty() ? null : served.name(),
                plan.seed(),
                plan.arrivals().atOnce() ? null : plan.arrivals().rate(),
                plan.concurrency().isPresent() ? plan.concurrency().getAsInt() : null,
                RequestMaker.sendsTokenIds(plan, served) ? "token_ids" : "words",
                workload.promptTokens().toString(),
                workload.outputTokens().toString(),
                workload.sharedPrefix(),
                workload.prefixGroups(),
                seconds,
                requests,
                completed,
                rejected,
                failed,
                kinds,
                mostRunning,
                promptTokens,
                cachedTokens,
                outputTokens,
                uncounted,
                perSecond(completed, seconds),
                perSecond(outputTokens, seconds),
                perSecond(promptTokens + outputTokens, seconds),
                Latency.of(firstToken),
                Latency.of(interToken),
                Latency.of(perOutputToken),
                Latency.of(endToEnd),
                Latency.of(sendDelay));
    }

    private static double perSecond(long count, double seconds) {
        return seconds == 0 ? 0 : count / seconds;
    }
}
