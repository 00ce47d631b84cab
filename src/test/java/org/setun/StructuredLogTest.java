package org.setun;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The whole server's log in JSON, at debug level. */
@ExtendWith(OutputCaptureExtension.class)
final class StructuredLogTest {

    private static final String SECRET = "the-marker-5820";

    /** Servers in one process share its logging, which the first of them sets up. */
    @BeforeEach
    void logAnew() {
        LoggingSystem.get(getClass().getClassLoader()).cleanUp();
    }

    @AfterEach
    void logAsBefore() {
        // Spring sets it and leaves it.
        System.clearProperty("CONSOLE_LOG_STRUCTURED_FORMAT");
        LoggingSystem.get(getClass().getClassLoader()).cleanUp();
    }

    @Test
    void eachRequestIsAnObjectWithoutItsText(CapturedOutput output) throws Exception {
        try (ConfigurableApplicationContext server = SetunApplication.start(new String[] {
                    "--server.port=0",
                    "--setun.model.path=src/test/resources/golden/bitnet-tiny-packed/model-tq2_0.gguf",
                    "--logging.structured.format.console=logstash",
                    "--logging.level.org.setun=debug"
                });
                HttpClient client = HttpClient.newHttpClient()) {
            for (String body : List.of(
                    "{\"prompt\":\"SECRET\",\"max_tokens\":3}",
                    "{\"prompt\":\"SECRET\",\"max_tokens\":3,\"stream\":true}",
                    "{\"prompt\":\"" + "SECRET ".repeat(2000) + "\"}",
                    "{\"prompt\":\"SECRET\",\"top_p\":\"SECRET\"}",
                    "{\"prompt\":\"SECRET")) {
                URI uri = URI.create("http://localhost:"
                        + server.getEnvironment().getRequiredProperty("local.server.port") + "/v1/completions");
                client.send(
                        HttpRequest.newBuilder(uri)
                                .header("Content-Type", "application/json")
                                .header("x-request-id", "request-of-the-test")
                                .POST(HttpRequest.BodyPublishers.ofString(body.replace("SECRET", SECRET)))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
            }
            await().atMost(Duration.ofSeconds(10)).until(() -> requests(output).size() == 5);
        }

        List<JsonNode> requests = requests(output);
        assertThat(requests.getFirst().required("status").intValue()).isEqualTo(200);
        assertThat(requests.getFirst().required("completion_tokens").intValue()).isPositive();
        assertThat(requests.getFirst().required("logger_name").stringValue()).endsWith("AccessLog");
        assertThat(requests)
                .extracting(line -> line.required("status").intValue())
                .containsExactly(200, 200, 400, 400, 400);
        assertThat(output.getAll()).doesNotContain(SECRET);
    }

    private static List<JsonNode> requests(CapturedOutput output) {
        return output.getErr()
                .lines()
                .filter(line -> line.contains("request-of-the-test"))
                .map(line -> JsonMapper.shared().readTree(line))
                .toList();
    }
}
