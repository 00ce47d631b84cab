package org.setun.operations;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.setun.operations.Programs.Result;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.MountableFile;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A real Prometheus and its {@code promtool}: in a container where Docker runs, else the machine's own. There is none in Maven
 * Central, so where both are missing a test is aborted or, with {@code CI=true}, fails. Whoever starts it closes it.
 */
final class RealPrometheus implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RealPrometheus.class);

    private static final String PACKAGE = "prometheus";
    private static final String MOUNTED = "/work";
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final HttpClient http = HttpClient.newHttpClient();
    private final String url;
    private final Runnable stop;

    private RealPrometheus(String url, Runnable stop) {
        this.url = url;
        this.stop = stop;
    }

    /** Returns the image of {@code docker-compose.yml}. */
    private static DockerImageName image() {
        return DockerImageName.parse(ComposeFile.read().image("prometheus"));
    }

    private static boolean docker() {
        return DockerClientFactory.instance().isDockerAvailable();
    }

    /**
     * Runs {@code promtool} on files in a directory.
     *
     * @param command a line for the shell without the program's name, such as {@code check rules rules.yml}
     */
    static Result promtool(Path directory, String command) throws IOException, InterruptedException {
        if (docker()) {
            try (GenericContainer<?> container = new GenericContainer<>(image())
                    .withCopyFileToContainer(MountableFile.forHostPath(directory), MOUNTED)
                    .withCreateContainerCmdModifier(created -> created.withEntrypoint("sleep", "600"))) {
                container.start();
                ExecResult result =
                        container.execInContainer("sh", "-c", "cd " + MOUNTED + " && promtool " + command + " 2>&1");
                return new Result(result.getExitCode(), result.getStdout());
            } catch (RuntimeException e) {
                log.warn("{} does not start, trying without Docker", image(), e);
            }
        }
        String program = Programs.required("promtool", PACKAGE).toString();
        return Programs.run(directory, Map.of(), List.of("sh", "-c", "'" + program + "' " + command));
    }

    /** Starts a server, and waits until it is ready. It reaches servers on this machine under {@code localhost}. */
    static RealPrometheus start(Path directory, String configuration) throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        if (docker()) {
            try {
                return container(directory, configuration, port);
            } catch (RuntimeException e) {
                log.warn("{} does not start, trying without Docker", image(), e);
            }
        }
        return process(directory, configuration, port);
    }

    // The container is closed by close().
    @SuppressWarnings("resource")
    private static RealPrometheus container(Path directory, String configuration, int port) {
        GenericContainer<?> container = new GenericContainer<>(image())
                .withNetworkMode("host")
                .withCopyFileToContainer(MountableFile.forHostPath(directory), MOUNTED)
                .withCommand(
                        "--config.file=" + MOUNTED + "/" + configuration,
                        "--storage.tsdb.path=/prometheus",
                        "--web.listen-address=127.0.0.1:" + port)
                .waitingFor(Wait.forLogMessage(".*ready to receive web requests.*", 1));
        container.start();
        return new RealPrometheus("http://127.0.0.1:" + port, container::stop);
    }

    private static RealPrometheus process(Path directory, String configuration, int port) throws IOException {
        Path output = directory.resolve("prometheus.log");
        Process process = new ProcessBuilder(
                        Programs.required("prometheus", PACKAGE).toString(),
                        "--config.file=" + directory.resolve(configuration),
                        "--storage.tsdb.path=" + directory.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        Thread atExit = new Thread(process::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(atExit);
        RealPrometheus prometheus = new RealPrometheus("http://127.0.0.1:" + port, () -> {
            process.destroy();
            if (!process.onExit()
                    .completeOnTimeout(process, 20, TimeUnit.SECONDS)
                    .join()
                    .isAlive()) {
                Runtime.getRuntime().removeShutdownHook(atExit);
            }
        });
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!prometheus.ready()) {
            if (System.nanoTime() > end || !process.isAlive()) {
                process.destroyForcibly();
                throw new IOException("Prometheus does not answer:\n" + Files.readString(output));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        }
        return prometheus;
    }

    private boolean ready() {
        try {
            return get("/-/ready").statusCode() == 200;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    private HttpResponse<String> get(String path) {
        try {
            return http.send(
                    HttpRequest.newBuilder(URI.create(url + path))
                            .timeout(PATIENCE)
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Returns Prometheus' answer to a question of its API: what {@code data} says. A refused question is an error. */
    JsonNode ask(String path) {
        String body = get("/api/v1/" + path).body();
        JsonNode answer = JsonMapper.shared().readTree(body);
        if (!answer.path("status").asString().equals("success")) {
            throw new AssertionError(path + ": " + body);
        }
        return answer.path("data");
    }

    /** Returns whether a query gives a number, one at least, now. */
    boolean hasData(String query) {
        JsonNode result = ask("query?query=" + URLEncoder.encode(query, StandardCharsets.UTF_8))
                .path("result");
        for (JsonNode series : result) {
            if (!series.path("value").path(1).asString().equals("NaN")) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() {
        stop.run();
        http.close();
    }
}
