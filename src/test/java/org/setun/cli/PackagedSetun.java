package org.setun.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Runs the packaged application as a user does: {@code java -jar setun.jar}, without any JVM flag. */
final class PackagedSetun {

    private static final long TIMEOUT_SECONDS = 120;

    private PackagedSetun() {}

    /**
     * What a finished run left.
     *
     * @param exitCode the exit code
     * @param out standard output
     * @param err standard error, less the JVM's own notice about incubating modules
     */
    record Result(int exitCode, String out, String err) {}

    /** Runs a command to its end. */
    static Result run(String... arguments) throws IOException, InterruptedException {
        Path out = Files.createTempFile("setun-out", ".txt");
        Path err = Files.createTempFile("setun-err", ".txt");
        try {
            Process process = builder(arguments)
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                throw new AssertionError("still running after " + TIMEOUT_SECONDS + " s: " + List.of(arguments)
                        + "; standard error: " + Files.readString(err));
            }
            String errors = Files.readString(err, StandardCharsets.UTF_8);
            return new Result(
                    process.exitValue(),
                    Files.readString(out, StandardCharsets.UTF_8),
                    errors.replace("WARNING: Using incubator modules: jdk.incubator.vector\n", ""));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** Prepares a command whose process the caller ends. */
    static ProcessBuilder builder(String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-jar");
        command.add(Objects.requireNonNull(
                System.getProperty("setun.jar"), "the build sets setun.jar to the packaged application"));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }

    /** Reads a server's log up to where it says that it is ready, and returns its port. */
    static int awaitPort(BufferedReader log) throws IOException {
        Pattern ready = Pattern.compile("http://localhost:(\\d+)/v1");
        StringBuilder seen = new StringBuilder();
        for (String line = log.readLine(); line != null; line = log.readLine()) {
            seen.append(line).append('\n');
            Matcher matcher = ready.matcher(line);
            if (matcher.find()) {
                return Integer.parseInt(matcher.group(1));
            }
        }
        throw new AssertionError("the server ended before it was ready:\n" + seen);
    }
}
