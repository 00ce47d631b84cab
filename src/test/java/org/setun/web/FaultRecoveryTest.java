package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.UnixOperatingSystemMXBean;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.SetunApplication;
import org.setun.engine.Engine;
import org.setun.engine.EngineStatus;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What clients do to a server, from its sockets to a real model: after each fault all places in the engine are free again,
 * no descriptor is left open, and the next request gets the answer that the first one got.
 */
@SpringBootTest(
        classes = SetunApplication.class,
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "setun.model.path=src/test/resources/golden/bitnet-tiny-packed/model-tq2_0.gguf",
            "setun.engine.max-sequences=" + FaultRecoveryTest.PLACES,
            "setun.engine.max-queued-requests=" + FaultRecoveryTest.QUEUE,
            // Long enough that a client leaves an answer before it ends.
            "setun.engine.context-length=" + 2 * FaultRecoveryTest.LONG,
            "setun.server.max-body-size=100KB",
            "setun.server.keep-alive-interval=5ms"
        })
@Timeout(120)
@ExtendWith(NettyLeaks.class)
final class FaultRecoveryTest {

    static final int PLACES = 4;
    static final int QUEUE = 16;
    static final int LONG = 20_000;

    private static final String SHORT_REQUEST = "{\"prompt\":[5,6,7,8],\"max_tokens\":5,\"temperature\":0}";
    private static final String LONG_STREAM =
            "{\"prompt\":[5,6,7,8],\"max_tokens\":" + LONG + ",\"temperature\":0,\"stream\":true}";

    private static final String CLOSE = "Connection: close\r\n";

    // Classes, jars and log files may be opened at any time, but not one for each of many requests.
    private static final int OTHER_DESCRIPTORS = 20;

    private final Engine engine;
    private final MeterRegistry meters;
    private final int port;

    private String answer = "";
    private long descriptors;
    private double cancelled;

    FaultRecoveryTest(@Autowired Engine engine, @Autowired MeterRegistry meters, @LocalServerPort int port) {
        this.engine = engine;
        this.meters = meters;
        this.port = port;
    }

    @BeforeEach
    void answerOnce() throws Exception {
        answer = answer();
        descriptors = descriptors();
        cancelled = cancelled();
    }

    @AfterEach
    void nothingIsLeakedAndTheNextRequestIsAnsweredRight() throws Exception {
        await("all places to be free", () -> engine.status().equals(new EngineStatus(0, 0, PLACES, true)));
        assertThat(answer()).isEqualTo(answer);
        await("all descriptors to be closed", () -> descriptors() <= descriptors + OTHER_DESCRIPTORS);
    }

    @Test
    void tenThousandRequestsAtOnceAreAnsweredOrRefused() throws Exception {
        int connections = 200;
        int requests = 50;
        byte[] all = request(SHORT_REQUEST, "").repeat(requests).getBytes(StandardCharsets.ISO_8859_1);
        List<Future<String>> responses = new ArrayList<>();
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < connections; i++) {
                responses.add(clients.submit(() -> exchange(all, requests)));
            }
        }

        int answered = 0;
        int refused = 0;
        for (Future<String> response : responses) {
            String text = response.get();
            int found = count(text, "\"text\":\"" + answer + "\"");
            assertThat(found).isEqualTo(count(text, "HTTP/1.1 200 OK"));
            answered += found;
            refused += count(text, "HTTP/1.1 429 Too Many Requests");
            assertThat(count(text, "Retry-After: ")).isEqualTo(count(text, "\"code\":\"queue_full\""));
        }
        assertThat(answered + refused).isEqualTo(connections * requests);
        assertThat(answered).isPositive();
        assertThat(refused).isPositive();
    }

    @Test
    void clientsThatLeaveTheQueueAreForgotten() throws Exception {
        List<RawRequest> running = new ArrayList<>();
        List<RawRequest> queued = new ArrayList<>();
        try {
            for (int i = 0; i < PLACES; i++) {
                running.add(post(LONG_STREAM));
                running.getLast().readUntil("data: ");
            }
            for (int i = 0; i < QUEUE; i++) {
                queued.add(post(i % 2 == 0 ? LONG_STREAM : SHORT_REQUEST));
            }
            await("the queue to be full", () -> engine.status().waiting() == QUEUE);
            queued.getFirst().readUntil(": ping");
            assertThat(queued.get(1).unread()).isZero();

            for (RawRequest client : queued) {
                client.close();
            }

            await("the queue to be empty", () -> engine.status().waiting() == 0);
            await("the queue to be cancelled", () -> cancelled() == cancelled + QUEUE);
            assertThat(engine.status().running()).isEqualTo(PLACES);
        } finally {
            for (RawRequest client : running) {
                client.close();
            }
        }
    }

    @Test
    void clientsThatLeaveTheirStreamsFreeTheirPlaces() throws Exception {
        for (int i = 0; i < 2 * PLACES; i++) {
            try (RawRequest client = post(LONG_STREAM)) {
                client.readUntil("data: ");
            }
        }

        await("all to be cancelled", () -> cancelled() == cancelled + 2 * PLACES);
    }

    @Test
    void readersThatNeverReadHoldUpNobody() throws Exception {
        List<RawRequest> deaf = new ArrayList<>();
        try {
            for (int i = 0; i < PLACES - 1; i++) {
                deaf.add(post(LONG_STREAM));
            }
            await("them to run", () -> engine.status().running() == PLACES - 1);

            for (int i = 0; i < 3; i++) {
                assertThat(answer()).isEqualTo(answer);
            }
        } finally {
            for (RawRequest client : deaf) {
                client.close();
            }
        }
    }

    @Test
    void aBodyThatIsTooLargeIsRefusedByItsLength() throws Exception {
        String response = exchange(request("x".repeat(110_000), CLOSE));

        assertThat(response)
                .startsWith("HTTP/1.1 413 ")
                .contains("\"code\":\"request_too_large\"", "connection: close");
    }

    @Test
    void aBodyThatAsksForLeaveIsRefusedBeforeItIsSent() throws Exception {
        try (Socket socket = connect()) {
            socket.getOutputStream()
                    .write(
                            "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 110000\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));

            assertThat(readAll(socket)).startsWith("HTTP/1.1 413 ").contains("\"code\":\"request_too_large\"");
        }
    }

    @Test
    void aBodyWithoutEndIsRefusedWhenItIsTooLarge() throws Exception {
        try (Socket socket = connect()) {
            OutputStream out = socket.getOutputStream();
            out.write("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
            byte[] chunk = ("2800\r\n" + "x".repeat(0x2800) + "\r\n").getBytes(StandardCharsets.US_ASCII);
            for (int i = 0; i < 11; i++) {
                out.write(chunk);
            }
            out.flush();

            assertThat(readAll(socket)).startsWith("HTTP/1.1 413 ").contains("\"code\":\"request_too_large\"");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"prompt\":\"\u00c3(\"}",
                "{\"prompt\":\"\u00ff\"}",
                "{\"prompt\":\"\u00e2\u0082\"}",
                "\u00fe\u00ff"
            })
    void malformedUtf8IsTheClientsFault(String latin1) throws Exception {
        assertThat(exchange(request(latin1, CLOSE))).startsWith("HTTP/1.1 400 ").contains("\"code\":\"invalid_json\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "{", "{\"prompt\":", "[1]", "{\"prompt\":\"x\"} x", "{\"prompt\":\"x\",\"prompt\":\"y\"}"})
    void malformedJsonIsTheClientsFault(String body) throws Exception {
        assertThat(exchange(request(body, CLOSE))).startsWith("HTTP/1.1 400 ").contains("\"code\":\"invalid_json\"");
    }

    @Test
    void jsonThatNestsWithoutEndIsTheClientsFault() throws Exception {
        assertThat(exchange(request("{\"prompt\":" + "[".repeat(90_000), CLOSE)))
                .startsWith("HTTP/1.1 400 ")
                .contains("nesting depth (101) exceeds the maximum allowed (100)");
    }

    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void clientsThatLeaveBeforeTheirBodyHasComeAreForgottenAndNotLogged(CapturedOutput output) throws Exception {
        long before = left();
        for (int i = 0; i < 50; i++) {
            try (Socket socket = connect()) {
                String whole = request(SHORT_REQUEST, "");
                socket.getOutputStream()
                        .write(whole.substring(0, whole.length() - 5).getBytes(StandardCharsets.UTF_8));
            }
        }

        await("all to be noticed", () -> left() == before + 50);
        assertThat(output).doesNotContain("ERROR", "WARN");
    }

    private String answer() throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/v1/completions"))
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString(SHORT_REQUEST))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            JsonNode choice = new JsonMapper()
                    .readTree(response.body())
                    .required("choices")
                    .get(0);
            // As it stands in JSON, but for its quotes.
            String text = choice.required("text").toString();
            return text.substring(1, text.length() - 1);
        }
    }

    private RawRequest post(String body) throws IOException {
        return new RawRequest(port, "fault-recovery", body);
    }

    private String exchange(String request) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return readAll(socket);
        }
    }

    /** Sends {@code requests} requests one after another, without waiting for an answer, and returns all answers. */
    private String exchange(byte[] all, int requests) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(all);
            StringBuilder text = new StringBuilder();
            byte[] buffer = new byte[65_536];
            int begun = 0;
            int next = 0;
            // Each answer ends with two braces.
            while (begun < requests || text.lastIndexOf("}}") != text.length() - 2) {
                int length = socket.getInputStream().read(buffer);
                assertThat(length)
                        .as("bytes before answer %d of %d", begun, requests)
                        .isPositive();
                text.append(new String(buffer, 0, length, StandardCharsets.ISO_8859_1));
                for (int at = text.indexOf("HTTP/1.1 ", next); at >= 0; at = text.indexOf("HTTP/1.1 ", next)) {
                    begun++;
                    next = at + 1;
                }
            }
            return new String(text.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket("localhost", port);
        socket.setSoTimeout(60_000);
        return socket;
    }

    private static String readAll(Socket socket) throws IOException {
        try (InputStream in = socket.getInputStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Returns a request, each of whose characters stands for the byte of its number. */
    private static String request(String body, String header) {
        return "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n" + header + "Content-Length: " + body.length()
                + "\r\n\r\n" + body;
    }

    private double cancelled() {
        return meters.get("setun.requests.finished")
                .tag("reason", "cancelled")
                .counter()
                .count();
    }

    private long left() {
        return meters.find("setun.request.duration").tag("outcome", "cancelled").timers().stream()
                .mapToLong(Timer::count)
                .sum();
    }

    private static long descriptors() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? unix.getOpenFileDescriptorCount()
                : 0;
    }

    private static int count(String text, String part) {
        return text.split(Pattern.quote(part), -1).length - 1;
    }

    private static void await(String what, BooleanSupplier condition) {
        Awaitility.await(what).atMost(Duration.ofSeconds(30)).until(condition::getAsBoolean);
    }
}
