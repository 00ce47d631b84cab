package org.setun;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Who has a key sees what the model did for his own requests, and of the others' only the sum. */
final class CallersActivityTest {

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private static final ConfigurableApplicationContext server = SetunApplication.start(
            new String[] {"--server.port=0", "--setun.server.api-keys.alice=a-key", "--setun.server.api-keys.bob=b-key"
            });

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void requestsOfOthersAreNotShown() throws Exception {
        String id = complete("a-key").get("id").stringValue();

        JsonNode ofAlice = sparsity("a-key");
        assertThat(ofAlice.at("/last_request/id").stringValue()).startsWith(id);
        JsonNode ofBob = sparsity("b-key");
        assertThat(ofBob.get("last_request").isNull()).isTrue();
        assertThat(ofBob.at("/since_start/tokens").longValue())
                .isEqualTo(ofAlice.at("/since_start/tokens").longValue())
                .isPositive();
    }

    private static JsonNode complete(String key) throws Exception {
        return send(HttpRequest.newBuilder(uri("/v1/completions"))
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"prompt\":\"Once\",\"max_tokens\":3}")));
    }

    private static JsonNode sparsity(String key) throws Exception {
        return send(HttpRequest.newBuilder(uri("/v1/sparsity")).header("Authorization", "Bearer " + key));
    }

    private static JsonNode send(HttpRequest.Builder request) throws Exception {
        return JSON.readTree(HTTP.send(request.build(), BodyHandlers.ofString()).body());
    }

    private static URI uri(String path) {
        return URI.create("http://localhost:" + server.getEnvironment().getProperty("local.server.port") + path);
    }
}
