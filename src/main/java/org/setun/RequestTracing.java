package org.setun;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.tracing.Span;
import io.micrometer.tracing.Tracer;
import io.micrometer.tracing.handler.PropagatingReceiverTracingObservationHandler;
import io.micrometer.tracing.handler.TracingObservationHandler.TracingContext;
import io.micrometer.tracing.otel.bridge.OtelCurrentTraceContext;
import io.micrometer.tracing.otel.bridge.OtelPropagator;
import io.micrometer.tracing.otel.bridge.OtelTracer;
import io.micrometer.tracing.propagation.Propagator;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporterBuilder;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.setun.engine.EngineObserver;
import org.setun.engine.FinishReason;
import org.setun.engine.RequestReport;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.observation.ServerRequestObservationContext;

/**
 * Makes the spans of requests: one for what Spring observes of the HTTP request, which goes on with its caller's trace by W3C's
 * {@code traceparent}, and under it, for each answer, {@code queue}, {@code prefill} and {@code decode} with the engine's own times.
 * Attributes have the names of OpenTelemetry's conventions for generative AI where there is one. Thread-safe.
 */
final class RequestTracing implements EngineObserver, AutoCloseable {

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final SdkTracerProvider provider;
    private final Tracer tracer;
    private final Propagator propagator;
    private final Map<String, TracedRequest> requests = new ConcurrentHashMap<>();

    /** Begins to send spans to where the settings say, on a thread of its own. */
    RequestTracing(TracingSettings settings) {
        OtlpHttpSpanExporterBuilder exporter =
                OtlpHttpSpanExporter.builder().setEndpoint(settings.endpoint()).setTimeout(settings.timeout());
        settings.headers().forEach(exporter::addHeader);
        AttributesBuilder resource = Resource.getDefault().getAttributes().toBuilder();
        settings.resource().forEach(resource::put);
        this.provider = SdkTracerProvider.builder()
                .setResource(Resource.create(resource.build()))
                .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(settings.probability())))
                .addSpanProcessor(BatchSpanProcessor.builder(exporter.build()).build())
                .build();
        io.opentelemetry.api.trace.Tracer spans = provider.get("org.setun");
        this.tracer = new OtelTracer(spans, new OtelCurrentTraceContext(), event -> {});
        this.propagator = new OtelPropagator(ContextPropagators.create(W3CTraceContextPropagator.getInstance()), spans);
    }

    /** Makes spans of what Spring observes of requests. */
    void observe(ObservationRegistry registry) {
        registry.observationConfig().observationHandler(new ServerSpans(tracer, propagator));
    }

    /**
     * Those of requests that make the server work, which are those with the method POST: what scrapers and probes ask for would hide
     * them.
     */
    private static final class ServerSpans
            extends PropagatingReceiverTracingObservationHandler<ServerRequestObservationContext> {

        ServerSpans(Tracer tracer, Propagator propagator) {
            super(tracer, propagator);
        }

        @Override
        public boolean supportsContext(Observation.Context context) {
            return context instanceof ServerRequestObservationContext request
                    && request.getCarrier() != null
                    && request.getCarrier().getMethod().equals(HttpMethod.POST);
        }
    }

    /**
     * Notes which answers the engine is about to be asked for.
     *
     * @param attributes those of the HTTP exchange, among which Spring keeps what it observes
     * @param ids the answers' names in the engine
     */
    void submitted(String operation, String model, Map<String, Object> attributes, List<String> ids) {
        Span span = ServerRequestObservationContext.findCurrent(attributes)
                .map(context -> context.<TracingContext>get(TracingContext.class))
                .map(TracingContext::getSpan)
                .orElse(null);
        if (span != null && Boolean.TRUE.equals(span.context().sampled())) {
            TracedRequest request = new TracedRequest(tracer, span, operation, model, ids.size());
            ids.forEach(id -> requests.put(id, request));
        }
    }

    /** Notes that the engine was not asked for these answers, or not for all of them. */
    void refused(List<String> ids) {
        ids.forEach(requests::remove);
    }

    @Override
    public void requestFinished(RequestReport report, FinishReason reason) {
        ended(report, reason.name().toLowerCase(Locale.ROOT), null);
    }

    @Override
    public void requestFailed(RequestReport report, Throwable cause) {
        ended(report, "error", cause);
    }

    private void ended(RequestReport report, String reason, @Nullable Throwable cause) {
        TracedRequest request = requests.remove(report.id());
        if (request != null) {
            Instant now = Instant.now();
            request.answerEnded(report, reason, cause, TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano());
        }
    }

    /** Returns how many answers are under way that are traced. */
    int underWay() {
        return requests.size();
    }

    @Override
    public void close() {
        provider.shutdown().join(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }
}
