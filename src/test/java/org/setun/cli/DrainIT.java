package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** SIGTERM while many clients read: what can be finished is, and nobody is left without an end. */
@Timeout(120)
final class DrainIT {

    private static final int STREAMS = 6;

    @Test
    void streamsFinishWithinTheGracePeriodAndTheOthersAreTold() throws Exception {
        Process server = PackagedSetun.builder("--server.port=0", "--setun.engine.drain-timeout=3s")
                .redirectErrorStream(true)
                .start();
        try (BufferedReader log =
                        new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
                HttpClient client = HttpClient.newHttpClient();
                ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
            String url = "http://localhost:" + PackagedSetun.awaitPort(log);
            List<BufferedReader> streams = new ArrayList<>();
            for (int i = 0; i < 2 * STREAMS; i++) {
                // Half of them want more than a busy machine generates in three seconds.
                streams.add(stream(client, url, i % 2 == 0 ? 60 : 4000));
            }
            for (BufferedReader stream : streams) {
                assertThat(stream.readLine()).startsWith("data: {");
            }
            server.destroy();
            List<Future<String>> rests = new ArrayList<>();
            for (BufferedReader stream : streams) {
                rests.add(readers.submit(() -> String.join("\n", stream.readAllLines())));
            }
            for (int i = 0; i < 2 * STREAMS; i++) {
                String rest = rests.get(i).get(60, TimeUnit.SECONDS);
                assertThat(rest).endsWith("data: [DONE]\n");
                if (i % 2 == 0) {
                    assertThat(rest).contains("\"finish_reason\":\"length\"").doesNotContain("\"error\"");
                } else {
                    assertThat(rest).contains("\"error\":{", "\"code\":\"draining\"");
                }
            }
            assertThat(server.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(server.exitValue()).as("128 + SIGTERM, or 0").isIn(0, 143);
        } finally {
            server.destroyForcibly();
        }
    }

    private static BufferedReader stream(HttpClient client, String url, int maxTokens)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/v1/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"prompt\":\"Once upon a time\",\"stream\":true,"
                        + "\"ignore_eos\":true,\"max_tokens\":" + maxTokens + "}"))
                .build();
        HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    }
}
