package org.setun.web;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.setun.engine.RequestReport;

/**
 * How long the parts of a request took, under the names of llama.cpp's server, and two more. The times are the engine's own. Of
 * several answers each counts, so that times which passed side by side add up. A number per nothing is null.
 *
 * @param cacheN tokens of the prompts whose state was known
 * @param promptN tokens of the prompts that were computed
 * @param promptMs from a place in the engine to the first generated token
 * @param promptPerTokenMs that for each computed token
 * @param promptPerSecond computed tokens a second
 * @param predictedN tokens generated
 * @param predictedMs from the first generated token to the end
 * @param predictedPerTokenMs that for each token after the first, which belongs to the prompt's time
 * @param predictedPerSecond tokens after the first a second
 * @param queueMs from the engine's queue to a place in it
 * @param timeToFirstTokenMs from the arrival of the request's headers to the first text of any answer
 */
record Timings(
        int cacheN,
        int promptN,
        double promptMs,
        @Nullable Double promptPerTokenMs,
        @Nullable Double promptPerSecond,
        int predictedN,
        double predictedMs,
        @Nullable Double predictedPerTokenMs,
        @Nullable Double predictedPerSecond,
        double queueMs,
        @Nullable Double timeToFirstTokenMs) {

    /** Returns the timings of all answers of a request together. */
    static Timings of(List<RequestReport> answers, Optional<Duration> firstText) {
        int cached =
                answers.stream().mapToInt(answer -> answer.tokens().cached()).sum();
        int prompt =
                answers.stream().mapToInt(answer -> answer.tokens().prompt()).sum() - cached;
        int predicted = answers.stream()
                .mapToInt(answer -> answer.tokens().completion())
                .sum();
        int afterFirst = answers.stream()
                .mapToInt(answer -> Math.max(0, answer.tokens().completion() - 1))
                .sum();
        double promptMs = millis(answers.stream().map(RequestReport::prefill).toList());
        double predictedMs = millis(answers.stream().map(RequestReport::decode).toList());
        return new Timings(
                cached,
                prompt,
                promptMs,
                ratio(promptMs, prompt),
                ratio(1000.0 * prompt, promptMs),
                predicted,
                predictedMs,
                ratio(predictedMs, afterFirst),
                ratio(1000.0 * afterFirst, predictedMs),
                millis(answers.stream().map(RequestReport::waited).toList()),
                firstText.map(Timings::millis).orElse(null));
    }

    private static double millis(List<Duration> durations) {
        return millis(durations.stream().reduce(Duration.ZERO, Duration::plus));
    }

    /** Returns milliseconds with three decimals: more would be noise. */
    private static double millis(Duration duration) {
        return Math.round(duration.toNanos() / 1e3) / 1e3;
    }

    private static @Nullable Double ratio(double of, double to) {
        return to == 0 ? null : Double.valueOf(Math.round(of / to * 1e3) / 1e3);
    }
}
