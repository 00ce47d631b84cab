package org.setun;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.mock.env.MockEnvironment;

/** The spans that a real server sends to a real receiver of OTLP over HTTP. */
@Timeout(120)
final class TracingTest {

    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String CALLER = "b7ad6b7169203331";

    private final List<ExportTraceServiceRequest> received = new CopyOnWriteArrayList<>();
    private final List<String> tokens = new CopyOnWriteArrayList<>();
    private HttpServer receiver;

    @BeforeEach
    void startReceiver() throws IOException {
        receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        receiver.createContext("/v1/traces", exchange -> {
            try (InputStream body = exchange.getRequestBody()) {
                received.add(ExportTraceServiceRequest.parseFrom(body));
            }
            tokens.add(String.valueOf(exchange.getRequestHeaders().getFirst("x-token")));
            byte[] answer = ExportTraceServiceResponse.getDefaultInstance().toByteArray();
            exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
            exchange.sendResponseHeaders(200, answer.length == 0 ? -1 : answer.length);
            exchange.close();
        });
        receiver.start();
    }

    @AfterEach
    void stopReceiver() {
        receiver.stop(0);
    }

    @Test
    void aRequestGoesOnWithItsCallersTraceAndHasTheEnginesTimes() throws Exception {
        try (ConfigurableApplicationContext server =
                start("--management.opentelemetry.tracing.export.otlp.headers.x-token=secret")) {
            post(server, "{\"prompt\":\"Once upon\",\"max_tokens\":5,\"n\":1}", "00-" + TRACE + "-" + CALLER + "-01");
            get(server, "/actuator/health");
            assertThat(server.getBean(Tracing.class).on().orElseThrow().underWay())
                    .isZero();
        }

        List<Span> spans = spans();
        assertThat(spans)
                .extracting(Span::getName)
                .containsExactlyInAnyOrder("http post /v1/completions", "queue", "prefill", "decode");
        assertThat(spans)
                .allSatisfy(
                        span -> assertThat(hex(span.getTraceId().toByteArray())).isEqualTo(TRACE));
        Span request = named(spans, "http post /v1/completions");
        assertThat(hex(request.getParentSpanId().toByteArray())).isEqualTo(CALLER);
        assertThat(request.getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_SERVER);
        assertThat(attributes(request))
                .containsEntry("gen_ai.operation.name", "text_completion")
                .containsEntry("gen_ai.request.model", "tiny")
                .containsEntry("gen_ai.usage.output_tokens", "5")
                .containsEntry("gen_ai.response.finish_reasons", "length")
                .containsEntry("status", "200")
                .containsKey("gen_ai.usage.input_tokens");

        Span queue = named(spans, "queue");
        Span prefill = named(spans, "prefill");
        Span decode = named(spans, "decode");
        assertThat(List.of(queue, prefill, decode)).allSatisfy(span -> {
            assertThat(span.getParentSpanId()).isEqualTo(request.getSpanId());
            assertThat(attributes(span).get("gen_ai.response.id")).startsWith("cmpl-");
        });
        assertThat(queue.getEndTimeUnixNano()).isEqualTo(prefill.getStartTimeUnixNano());
        assertThat(prefill.getEndTimeUnixNano()).isEqualTo(decode.getStartTimeUnixNano());
        assertThat(nanos(queue) + nanos(prefill) + nanos(decode)).isPositive().isLessThan(nanos(request));
        assertThat(attributes(decode)).containsEntry("setun.finish_reason", "length");
        assertThat(resource()).containsEntry("service.name", "setun");
        assertThat(tokens).isNotEmpty().containsOnly("secret");
    }

    @Test
    void everyAnswerHasItsPartsAndARefusedRequestHasNone() throws Exception {
        try (ConfigurableApplicationContext server = start()) {
            post(server, "{\"prompt\":\"Once upon\",\"max_tokens\":2,\"n\":3}", null);
            post(server, "{\"prompt\":\"" + "and then ".repeat(3000) + "\"}", null);
            assertThat(server.getBean(Tracing.class).on().orElseThrow().underWay())
                    .isZero();
        }

        List<Span> spans = spans();
        List<Span> requests = spans.stream()
                .filter(span -> span.getName().startsWith("http"))
                .sorted(Comparator.comparingLong(Span::getStartTimeUnixNano))
                .toList();
        assertThat(requests).hasSize(2);
        assertThat(attributes(requests.getFirst())).containsEntry("gen_ai.usage.output_tokens", "6");
        assertThat(attributes(requests.getLast())).containsEntry("status", "400");
        assertThat(spans.stream().filter(span -> span.getName().equals("decode")))
                .hasSize(3)
                .allSatisfy(span -> assertThat(span.getParentSpanId())
                        .isEqualTo(requests.getFirst().getSpanId()));
        assertThat(spans.stream()
                        .filter(span ->
                                span.getParentSpanId().equals(requests.getLast().getSpanId())))
                .isEmpty();
    }

    @Test
    void whoseCallerDoesNotTraceIsNotTraced() throws Exception {
        try (ConfigurableApplicationContext server = start()) {
            post(server, "{\"prompt\":\"Once upon\",\"max_tokens\":2}", "00-" + TRACE + "-" + CALLER + "-00");
            assertThat(server.getBean(Tracing.class).on().orElseThrow().underWay())
                    .isZero();
        }

        assertThat(spans()).isEmpty();
    }

    @Test
    void withoutAnEndpointThereIsNothing() throws Exception {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        try (ConfigurableApplicationContext server = SetunApplication.start(arguments())) {
            post(server, "{\"prompt\":\"Once upon\",\"max_tokens\":2}", "00-" + TRACE + "-" + CALLER + "-01");

            assertThat(server.getBean(Tracing.class).on()).isEmpty();
            assertThat(Thread.getAllStackTraces().keySet())
                    .filteredOn(thread -> !before.contains(thread))
                    .isNotEmpty()
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.contains("BatchSpanProcessor"));
        }
        assertThat(received).isEmpty();
    }

    @Test
    void theNamesOfSpringAndOfOpenTelemetryAreKnown() {
        assertThat(TracingSettings.of(new MockEnvironment())).isEmpty();
        assertThat(TracingSettings.of(new MockEnvironment()
                        .withProperty("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/")
                        .withProperty("OTEL_SERVICE_NAME", "fairy")
                        .withProperty("management.opentelemetry.resource-attributes.zone", "a")
                        .withProperty("management.tracing.sampling.probability", "0.25")))
                .hasValueSatisfying(settings -> {
                    assertThat(settings.endpoint()).isEqualTo("http://collector:4318/v1/traces");
                    assertThat(settings.probability()).isEqualTo(0.25);
                    assertThat(settings.resource())
                            .containsEntry("service.name", "fairy")
                            .containsEntry("zone", "a");
                });
        assertThat(TracingSettings.of(new MockEnvironment()
                        .withProperty("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318/x")
                        .withProperty("management.tracing.export.enabled", "false")))
                .isEmpty();
        assertThatThrownBy(() -> TracingSettings.of(new MockEnvironment()
                        .withProperty("management.opentelemetry.tracing.export.otlp.endpoint", "collector:4318")))
                .hasMessageContaining("management.opentelemetry.tracing.export.otlp.endpoint: expected a URL")
                .hasMessageContaining("found 'collector:4318'");
    }

    private ConfigurableApplicationContext start(String... more) {
        String endpoint = "http://localhost:" + receiver.getAddress().getPort() + "/v1/traces";
        return SetunApplication.start(Stream.of(
                        Stream.of(arguments()),
                        Stream.of("--management.opentelemetry.tracing.export.otlp.endpoint=" + endpoint),
                        Stream.of(more))
                .flatMap(part -> part)
                .toArray(String[]::new));
    }

    private static String[] arguments() {
        return new String[] {
            "--server.port=0",
            "--setun.model.path=src/test/resources/golden/bitnet-tiny-packed/model-tq2_0.gguf",
            "--setun.model.name=tiny"
        };
    }

    private List<Span> spans() {
        List<Span> spans = new ArrayList<>();
        received.forEach(request -> request.getResourceSpansList()
                .forEach(
                        resource -> resource.getScopeSpansList().forEach(scope -> spans.addAll(scope.getSpansList()))));
        return spans;
    }

    private Map<String, String> resource() {
        return map(received.getFirst().getResourceSpans(0).getResource().getAttributesList());
    }

    private static Span named(List<Span> spans, String name) {
        return spans.stream()
                .filter(span -> span.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static long nanos(Span span) {
        return span.getEndTimeUnixNano() - span.getStartTimeUnixNano();
    }

    private static Map<String, String> attributes(Span span) {
        return map(span.getAttributesList());
    }

    private static Map<String, String> map(List<KeyValue> attributes) {
        return attributes.stream().collect(Collectors.toMap(KeyValue::getKey, pair -> text(pair.getValue())));
    }

    private static String text(AnyValue value) {
        return switch (value.getValueCase()) {
            case INT_VALUE -> Long.toString(value.getIntValue());
            case ARRAY_VALUE ->
                value.getArrayValue().getValuesList().stream()
                        .map(TracingTest::text)
                        .collect(Collectors.joining(" "));
            default -> value.getStringValue();
        };
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static void post(ConfigurableApplicationContext server, String body, @Nullable String traceparent)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(server, "/v1/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (traceparent != null) {
            request.header("traceparent", traceparent);
        }
        send(request.build());
    }

    private static void get(ConfigurableApplicationContext server, String path) throws Exception {
        send(HttpRequest.newBuilder(uri(server, path)).build());
    }

    private static void send(HttpRequest request) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            client.send(request, HttpResponse.BodyHandlers.ofString());
        }
    }

    private static URI uri(ConfigurableApplicationContext server, String path) {
        return URI.create(
                "http://localhost:" + server.getEnvironment().getRequiredProperty("local.server.port") + path);
    }
}
