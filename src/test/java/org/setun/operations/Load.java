package org.setun.operations;

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
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Requests of all kinds to a server, again and again until it is closed, at most {@value #ROUNDS} times: whole and streamed, with a chat's template, given up in the
 * middle, wrong, and so many at once that some are rejected.
 */
final class Load implements AutoCloseable {

    private static final int ROUNDS = 2000;
    private static final int TALES = 32;
    private static final String LONG = "Once upon a time there was a little fairy who lived in a tree. ".repeat(6);

    private final HttpClient client = HttpClient.newHttpClient();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Map<Integer, Integer> statuses = Collections.synchronizedMap(new TreeMap<>());
    private final String url;
    private volatile boolean closed;

    /** Begins at once. */
    Load(String url) {
        this.url = url;
        threads.execute(this::run);
    }

    private void run() {
        for (int round = 0; !closed && round < ROUNDS; round++) {
            String seed = ",\"seed\":" + round + "}";
            // Each comes back when others have taken its place in a small cache.
            String tale = "\"prompt\":\"Tale " + round % TALES + ". " + LONG;
            List<Callable<Integer>> requests = new ArrayList<>();
            requests.add(() -> whole("/v1/completions", "{" + tale + "\",\"max_tokens\":12,\"stop\":[\"e\"]" + seed));
            requests.add(() -> whole("/v1/embeddings", "{\"input\":\"a tree\"}"));
            requests.add(() -> whole(
                    "/v1/chat/completions",
                    "{\"messages\":[{\"role\":\"user\",\"content\":\"Who lived there?\"}],\"max_tokens\":12" + seed));
            requests.add(() -> whole("/v1/completions", "{" + tale + "\",\"max_tokens\":-1}"));
            requests.add(() -> streamed("{" + tale + "\",\"max_tokens\":24,\"stream\":true" + seed, Integer.MAX_VALUE));
            requests.add(() ->
                    streamed("{" + tale + "\",\"max_tokens\":4000,\"ignore_eos\":true,\"stream\":true" + seed, 9));
            for (int i = 0; i < 12; i++) {
                requests.add(
                        () -> whole("/v1/completions", "{" + tale + "\",\"max_tokens\":16,\"ignore_eos\":true" + seed));
            }
            try {
                for (Future<Integer> request : threads.invokeAll(requests)) {
                    if (request.state() == Future.State.SUCCESS) {
                        statuses.merge(request.resultNow(), 1, Integer::sum);
                    }
                }
            } catch (InterruptedException e) {
                // It is closed.
                return;
            }
        }
    }

    private HttpRequest request(String path, String body) {
        return HttpRequest.newBuilder(URI.create(url + path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private int whole(String path, String body) throws IOException, InterruptedException {
        return client.send(request(path, body), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    /** Reads so many lines of a stream, and then goes away. */
    private int streamed(String body, int lines) throws IOException, InterruptedException {
        HttpResponse<InputStream> response =
                client.send(request("/v1/completions", body), HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader events =
                new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            int read = 0;
            while (read < lines && events.readLine() != null) {
                read++;
            }
        }
        return response.statusCode();
    }

    @Override
    public void close() {
        closed = true;
        threads.shutdownNow();
        client.shutdownNow();
    }

    /** Tells how many answers of which status came. */
    @Override
    public String toString() {
        return statuses.toString();
    }
}
