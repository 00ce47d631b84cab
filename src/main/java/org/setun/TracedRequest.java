package org.setun;

import io.micrometer.tracing.Span;
import io.micrometer.tracing.Tracer;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.setun.engine.RequestReport;

/** A request that is traced, whose answers end one after the other. For the engine thread. */
final class TracedRequest {

    private final Tracer tracer;
    private final Span span;
    private final String operation;
    private final String model;
    private final int answers;
    private final Set<String> reasons = new TreeSet<>();
    private int ended;
    private long promptTokens;
    private long cachedTokens;
    private long completionTokens;

    /**
     * Begins to follow a request.
     *
     * @param span that of the whole request
     * @param operation OpenTelemetry's word for what is done, such as {@code chat}
     * @param answers how many there will be
     */
    TracedRequest(Tracer tracer, Span span, String operation, String model, int answers) {
        this.tracer = tracer;
        this.span = span;
        this.operation = operation;
        this.model = model;
        this.answers = answers;
    }

    /** Makes the spans of an answer that ended at {@code endNanos} since 1970, and with the last one describes the whole. */
    void answerEnded(RequestReport report, String reason, @Nullable Throwable cause, long endNanos) {
        long firstToken = endNanos - report.decode().toNanos();
        long start = firstToken - report.prefill().toNanos();
        part("queue", report, start - report.waited().toNanos()).end(start, TimeUnit.NANOSECONDS);
        if (report.prefill().isPositive()) {
            part("prefill", report, start)
                    .tag("gen_ai.usage.input_tokens", report.tokens().prompt())
                    .tag("gen_ai.usage.cache_read.input_tokens", report.tokens().cached())
                    .end(firstToken, TimeUnit.NANOSECONDS);
        }
        if (report.tokens().completion() > 0) {
            Span decode = part("decode", report, firstToken)
                    .tag("gen_ai.usage.output_tokens", report.tokens().completion())
                    .tag("setun.finish_reason", reason);
            if (cause != null) {
                decode.error(cause);
            }
            decode.end(endNanos, TimeUnit.NANOSECONDS);
        }
        promptTokens += report.tokens().prompt();
        cachedTokens += report.tokens().cached();
        completionTokens += report.tokens().completion();
        reasons.add(reason);
        ended++;
        if (ended == answers) {
            describe();
        }
    }

    private Span part(String name, RequestReport report, long startNanos) {
        return tracer.spanBuilder()
                .setParent(span.context())
                .name(name)
                .startTimestamp(startNanos, TimeUnit.NANOSECONDS)
                .tag("gen_ai.response.id", report.id())
                .start();
    }

    /** Describes the request as a whole; without effect if it has ended, as its client has gone. */
    private void describe() {
        span.tag("gen_ai.operation.name", operation)
                .tag("gen_ai.provider.name", "setun")
                .tag("gen_ai.request.model", model)
                .tag("gen_ai.response.model", model)
                .tag("gen_ai.usage.input_tokens", promptTokens)
                .tag("gen_ai.usage.cache_read.input_tokens", cachedTokens)
                .tag("gen_ai.usage.output_tokens", completionTokens)
                .tagOfStrings("gen_ai.response.finish_reasons", reasons.stream().toList());
    }
}
