package org.setun;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A published shape with random weights is served like any other model. */
final class RandomModelTest {

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @Test
    void aRandomModelWritesAsManyTokensAsItIsAskedFor() throws Exception {
        try (ConfigurableApplicationContext server =
                SetunApplication.start(new String[] {"--server.port=0", "--setun.model.random-shape=mmfree-370m"})) {
            String base = "http://localhost:" + server.getEnvironment().getProperty("local.server.port");
            JsonNode models = JSON.readTree(HTTP.send(
                            HttpRequest.newBuilder(URI.create(base + "/v1/models"))
                                    .build(),
                            BodyHandlers.ofString())
                    .body());
            assertThat(models.at("/data/0/id").stringValue()).isEqualTo("mmfree-370m-random");

            String body = "{\"prompt\":\"Once\",\"max_tokens\":30,\"ignore_eos\":true,\"seed\":1,\"stream\":true,"
                    + "\"stream_options\":{\"include_usage\":true}}";
            String answer = HTTP.send(
                            HttpRequest.newBuilder(URI.create(base + "/v1/completions"))
                                    .header("Content-Type", "application/json")
                                    .POST(BodyPublishers.ofString(body))
                                    .build(),
                            BodyHandlers.ofString())
                    .body();

            assertThat(answer).contains("\"completion_tokens\":30").endsWith("data: [DONE]\n\n");
            // Of 32,000 ids the tokenizer knows a few thousand, and most tokens still become text of their own.
            assertThat(answer.lines().filter(line -> line.contains("\"text\":")).count())
                    .isGreaterThan(15);
        }
    }
}
