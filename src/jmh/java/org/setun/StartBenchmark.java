package org.setun;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * From {@code java -jar target/setun.jar} to the first token of the model that ships, as a client of the stream sees it. Each
 * invocation is a process of its own.
 *
 * <pre>./mvnw -q package -DskipTests exec:exec@jmh -Djmh.args=StartBenchmark</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
// What is measured is another JVM; a second fork of this one would add nothing.
@Fork(1)
// The first start reads the jar into the page cache.
@Warmup(iterations = 1)
@Measurement(iterations = 9)
public class StartBenchmark {

    private static final String JAR = "target/setun.jar";
    private static final Pattern URL = Pattern.compile("http://localhost:\\d+/v1");
    private static final String PROMPT = "{\"prompt\": \"Once upon a time\", \"stream\": true}";

    private final HttpClient client = HttpClient.newHttpClient();
    private @Nullable Process server;

    /** A server's start until it has streamed a token. */
    @Benchmark
    public String firstToken() throws IOException, InterruptedException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(java, "-jar", JAR, "--server.port=0")
                .redirectErrorStream(true)
                .start();
        server = process;
        String url = url(process.inputReader(UTF_8));
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(PROMPT))
                .build();
        HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader events = new BufferedReader(new InputStreamReader(response.body(), UTF_8))) {
            String event = events.readLine();
            if (event == null || !event.startsWith("data:")) {
                throw new IOException("expected an event, found " + event);
            }
            return event;
        }
    }

    /** Reads the server's log up to the address that it announces when it is ready. */
    private static String url(BufferedReader log) throws IOException {
        StringBuilder read = new StringBuilder();
        for (String line = log.readLine(); line != null; line = log.readLine()) {
            Matcher url = URL.matcher(line);
            if (url.find()) {
                return url.group();
            }
            read.append(line).append('\n');
        }
        throw new IOException("the server did not start; its log:\n" + read);
    }

    /** Ends the server, which is no part of the time. */
    @TearDown(Level.Invocation)
    public void stop() throws InterruptedException {
        if (server != null) {
            server.destroyForcibly().waitFor();
        }
    }
}
