package org.setun.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Makes a directory from which the server starts in less time: the jar taken apart, and the JVM's ahead-of-time cache (JEP 483, 514
 * and 515) of the classes that a run of it has loaded, a run that answers requests of every kind with the model that ships.
 */
@Command(
        name = "aot-cache",
        description = {
            "Makes a directory from which Setun starts faster.",
            "It gets this jar, taken apart, and a cache of loaded classes for the Java that runs this command. Start it there"
                    + " with the command that is printed at the end, or with java -jar, which takes a little longer. The"
                    + " cache is of no use, and does no harm, once the directory is moved or Java is another one."
        })
final class AotCacheCommand implements Callable<Integer> {

    /** What Spring's ahead-of-time processing leaves in the jar if the build had it run. */
    private static final String SPRING_AOT = "/org/setun/SetunApplication__ApplicationContextInitializer.class";

    /** The loader of nested jars, which a jar has that was not taken apart yet. */
    private static final String JAR_LAUNCHER = "org/springframework/boot/loader/launch/JarLauncher.class";

    private static final Pattern URL = Pattern.compile("(http://localhost:\\d+)/v1/completions");
    private static final int OK = 200;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(paramLabel = "DIRECTORY", description = "The directory to make; it must not exist.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path directory;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path jar = Path.of(System.getProperty("java.class.path"));
        if (!JavaOptions.isJar(jar) || ClassLoader.getSystemResource(JAR_LAUNCHER) == null) {
            throw new IOException("expected to be run from setun.jar as it was built, found the class path " + jar);
        }
        Path target = directory.toAbsolutePath().normalize();
        if (Files.exists(target)) {
            throw new ParameterException(spec.commandLine(), target + " exists already; choose another directory");
        }
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        extract(java, jar, target);
        Path extracted = target.resolve("setun.jar");
        Path cache = target.resolve("setun.aot");
        String springAot = "-Dspring.aot.enabled=" + (AotCacheCommand.class.getResource(SPRING_AOT) != null);
        String log = train(java, JavaOptions.with(springAot, "-XX:AOTCacheOutput=" + cache), extracted);
        if (!Files.exists(cache)) {
            throw new IOException("the JVM has not written " + cache + "; its log:\n" + log);
        }
        Path options = target.resolve(JavaOptions.FILE);
        JavaOptions.write(options, JavaOptions.with(springAot, "-XX:AOTCache=" + cache));
        spec.commandLine().getOut().println("java " + quoted("@" + options) + " -jar " + quoted(extracted.toString()));
        return 0;
    }

    /** Returns a word as shells take it. */
    private static String quoted(String word) {
        return word.matches("[\\w@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }

    private static void extract(String java, Path jar, Path target) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        java,
                        "-Djarmode=tools",
                        "-jar",
                        jar.toString(),
                        "extract",
                        "--destination",
                        target.toString(),
                        "--application-filename",
                        "setun.jar")
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("could not take " + jar + " apart: " + output.strip());
        }
    }

    /** Runs the server, has it answer, and ends it; the JVM then writes its cache. Returns what it said last. */
    private static String train(String java, List<String> options, Path jar) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(java);
        command.addAll(options);
        command.addAll(List.of("-jar", jar.toString(), "serve", "--server.port=0"));
        Process server = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            BufferedReader log = server.inputReader(StandardCharsets.UTF_8);
            ask(url(log));
            // Unlike that of the process, the handle's leaves the log open.
            server.toHandle().destroy();
            String rest = log.lines().collect(Collectors.joining("\n"));
            server.waitFor();
            return rest;
        } finally {
            server.destroyForcibly();
        }
    }

    /** Reads the server's log up to the address that it announces when it is ready. */
    private static String url(BufferedReader log) throws IOException {
        StringBuilder read = new StringBuilder();
        for (String line = log.readLine(); line != null; line = log.readLine()) {
            Matcher url = URL.matcher(line);
            if (url.find()) {
                return url.group(1);
            }
            read.append(line).append('\n');
        }
        throw new IOException("the server did not start; its log:\n" + read);
    }

    private static void ask(String url) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            for (String stream : new String[] {"false", "true"}) {
                String end = ", \"max_tokens\": 8, \"stream\": " + stream + "}";
                post(client, url + "/v1/completions", "{\"prompt\": \"Once upon a time\"" + end);
                String messages = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]";
                post(client, url + "/v1/chat/completions", messages + end);
            }
            for (String path : new String[] {"/v1/models", "/actuator/health/readiness", "/actuator/prometheus"}) {
                send(client, HttpRequest.newBuilder(URI.create(url + path)).build());
            }
        }
    }

    private static void post(HttpClient client, String url, String body) throws IOException, InterruptedException {
        send(
                client,
                HttpRequest.newBuilder(URI.create(url))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build());
    }

    private static void send(HttpClient client, HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != OK) {
            throw new IOException(request.uri() + ": expected status " + OK + ", found " + response.statusCode() + ": "
                    + response.body());
        }
    }
}
