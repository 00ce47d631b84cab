package org.setun.operations;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.setun.helm.Chart;
import org.setun.helm.Rendering;
import org.setun.operations.Programs.Result;

/**
 * What the Dockerfile builds runs as it is told to: its commands are run in order in a clean directory, and what they leave is made
 * read-only and run as the image's user. Where this test runs as root it can become that user; elsewhere it stays who it is.
 */
@Timeout(900)
final class ImageIT {

    private static final String MODEL = "setun-fairy";
    private static final Path JDK = Path.of(System.getProperty("java.home"));

    @TempDir
    private static Path sandbox;

    private static DockerfileBuild.Image image;
    private static List<String> asUser;

    @BeforeAll
    static void build() throws Exception {
        Programs.required("cc", "gcc");
        image = DockerfileBuild.build(Path.of("").toAbsolutePath(), sandbox, JDK);
        DockerfileBuild.makeReadOnly(image.root().resolve("opt"));
        Files.createDirectories(image.root().resolve("tmp"));
        Files.setPosixFilePermissions(image.root().resolve("tmp"), PosixFilePermissions.fromString("rwxrwxrwx"));
        Files.setPosixFilePermissions(sandbox, PosixFilePermissions.fromString("rwxr-xr-x"));
        String user = image.stage().only("USER").text();
        int colon = user.indexOf(':');
        asUser = DockerfileBuild.runsAsRoot() && Programs.find("setpriv").isPresent()
                ? List.of(
                        "setpriv",
                        "--reuid=" + user.substring(0, colon),
                        "--regid=" + user.substring(colon + 1),
                        "--clear-groups",
                        "--no-new-privs")
                : List.of();
    }

    @AfterAll
    static void makeDeletable() throws Exception {
        Programs.run(sandbox, Map.of(), List.of("chmod", "-R", "u+w", sandbox.toString()));
    }

    private static List<String> command(List<String> inImage, String... more) {
        List<String> command = new ArrayList<>(asUser);
        command.addAll(image.here(inImage));
        command.addAll(Arrays.asList(more));
        return command;
    }

    private static List<String> setun(String... arguments) {
        return command(image.stage().only("ENTRYPOINT").exec(), arguments);
    }

    private static Result run(List<String> command, Map<String, String> more) throws Exception {
        Map<String, String> environment = new HashMap<>(image.environment());
        environment.putAll(more);
        return Programs.run(image.directory(), environment, command);
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0)) {
            return free.getLocalPort();
        }
    }

    private static HttpRequest completion(String url, String more) {
        return HttpRequest.newBuilder(URI.create(url + "/v1/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"prompt\":\"Once upon a time\"," + more + "}"))
                .build();
    }

    @Test
    void itServesIsHealthyAndDrains() throws Exception {
        int port = freePort();
        Map<String, String> settings = Map.of("SERVER_PORT", "" + port, "SETUN_ENGINE_DRAINTIMEOUT", "20s");
        List<String> healthCommand = command(image.stage().only("HEALTHCHECK").healthCommand());
        Path log = sandbox.resolve("server.log");
        ProcessBuilder builder = new ProcessBuilder(
                        setun(image.stage().only("CMD").exec().toArray(String[]::new)))
                .directory(image.directory().toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(image.environment());
        builder.environment().putAll(settings);
        Process server = builder.start();
        try (HttpClient client = HttpClient.newHttpClient()) {
            String url = "http://localhost:" + port;
            Result health = run(healthCommand, settings);
            while (health.exitCode() != 0 && server.isAlive()) {
                health = run(healthCommand, settings);
            }
            assertThat(health.succeeded()).as(Files.readString(log)).contains("\"status\":\"UP\"");
            assertThat(Files.readString(log))
                    .contains("Setun is serving " + MODEL)
                    .contains("native kernels are ")
                    .doesNotContain("ERROR", "[aot]", "[error");

            assertThat(client.send(completion(url, "\"max_tokens\":8,\"seed\":1"), HttpResponse.BodyHandlers.ofString())
                            .body())
                    .contains("\"finish_reason\":\"length\"");
            HttpResponse<InputStream> stream = client.send(
                    completion(url, "\"max_tokens\":200,\"ignore_eos\":true,\"stream\":true"),
                    HttpResponse.BodyHandlers.ofInputStream());
            try (BufferedReader events =
                    new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
                assertThat(events.readLine()).startsWith("data: {");
                // STOPSIGNAL, to the process that the image starts: the JVM, and nothing before it.
                server.destroy();
                assertThat(events.lines().collect(Collectors.joining("\n")))
                        .contains("\"finish_reason\":\"length\"")
                        .endsWith("data: [DONE]\n");
            }
            assertThat(server.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(server.exitValue()).as("128 + SIGTERM, or 0").isIn(0, 143);
            assertThat(run(healthCommand, settings).exitCode()).isEqualTo(1);
        } finally {
            server.destroyForcibly();
        }
    }

    @Test
    void theCacheIsUsedWhereItFitsAndNoFaultWhereItDoesNot() throws Exception {
        // With this a JVM that cannot use the cache does not start.
        assertThat(run(setun("--version"), Map.of("JDK_JAVA_OPTIONS", "-XX:AOTMode=on"))
                        .succeeded())
                .contains("setun ");
        // The chart's heap, too, is one that the cache fits.
        String options = Rendering.variable(Chart.render("default").server(), "JDK_JAVA_OPTIONS")
                .orElseThrow()
                .path("value")
                .asString();
        assertThat(options).startsWith("-Xmx");
        assertThat(run(setun("--version"), Map.of("JDK_JAVA_OPTIONS", "-XX:AOTMode=on " + options))
                        .succeeded())
                .contains("setun ");
        // As if the heap were too large for the references in it, which another machine's may be.
        assertThat(run(setun("--version"), Map.of("JDK_JAVA_OPTIONS", "-XX:-UseCompressedOops"))
                        .succeeded())
                .contains("setun ");
        assertThat(run(setun("--version"), Map.of("JDK_JAVA_OPTIONS", "-XX:+UseSerialGC"))
                        .succeeded())
                .contains("setun ");
    }

    @Test
    void theOtherCommandsRun() throws Exception {
        assertThat(run(setun("inspect"), Map.of()).succeeded()).contains("runs here       yes");
        assertThat(run(setun("generate", "--prompt", "Once upon a time", "--max-tokens", "3"), Map.of())
                        .succeeded())
                .isNotBlank();
    }

    @Test
    void theRuntimeHasTheModulesThatSetunNeedsAndSpeaksTls() throws Exception {
        Path jar = image.root().resolve("opt/setun/app/setun.jar");
        Set<String> needed = lines(Programs.run(
                        sandbox,
                        Map.of(),
                        List.of(
                                JDK.resolve("bin/jdeps").toString(),
                                "--ignore-missing-deps",
                                "--print-module-deps",
                                "" + jar))
                .succeeded()
                .replace(",", "\n"));
        Path java = image.root().resolve("opt/setun/jre/bin/java");
        Set<String> there = lines(Programs.run(sandbox, Map.of(), List.of("" + java, "--list-modules"))
                .succeeded()
                .replaceAll("@\\S*", ""));
        assertThat(there).containsAll(needed);

        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(ellipticCurve()));
        server.start();
        try {
            String url = "https://localhost:" + server.getAddress().getPort() + "/";
            // So far it comes only if both have agreed on a curve: nobody vouches for the certificate.
            assertThat(run(setun("health", "--url", url), Map.of()).output()).contains("PKIX path building failed");
        } finally {
            server.stop(0);
        }
    }

    private static Set<String> lines(String output) {
        return output.lines()
                .map(String::strip)
                .filter(line -> line.matches("(java|jdk)\\.[\\w.]+"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static SSLContext ellipticCurve() throws Exception {
        Path keys = sandbox.resolve("keys.p12");
        Programs.run(
                        sandbox,
                        Map.of(),
                        List.of(
                                JDK.resolve("bin/keytool").toString(),
                                "-genkeypair",
                                "-alias",
                                "setun",
                                "-keyalg",
                                "EC",
                                "-dname",
                                "CN=localhost",
                                "-keystore",
                                "" + keys,
                                "-storepass",
                                "setun-test"))
                .succeeded();
        KeyStore store = KeyStore.getInstance(keys.toFile(), "setun-test".toCharArray());
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, "setun-test".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    @Test
    void theImageIsSmall() throws Exception {
        long bytes;
        try (var files = Files.walk(image.root().resolve("opt"))) {
            bytes = files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
        assertThat(bytes).as("bytes on top of the base image").isLessThan(280_000_000);
        assertThat(image.packages()).contains("install").contains("gcc");
    }
}
