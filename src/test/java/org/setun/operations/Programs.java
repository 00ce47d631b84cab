package org.setun.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.opentest4j.TestAbortedException;

/** Programs of the machine that tests run. */
final class Programs {

    private static final long TIMEOUT_SECONDS = 600;

    private Programs() {}

    /**
     * What a finished run left.
     *
     * @param output standard output and standard error
     */
    record Result(int exitCode, String output) {

        /** Returns the output of a run that has succeeded. */
        String succeeded() {
            assertThat(exitCode).as(output).isZero();
            return output;
        }
    }

    /** Returns where an installed program lies. */
    static Optional<Path> find(String name) {
        return Arrays.stream(
                        Optional.ofNullable(System.getenv("PATH")).orElse("").split(File.pathSeparator))
                .map(directory -> Path.of(directory, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /**
     * Returns where a program lies that nothing can stand in for. Where it is missing the test is aborted, and says what to install;
     * where the environment has {@code CI=true} it fails, so that no change goes in untested.
     */
    static Path required(String name, String debianPackage) {
        Optional<Path> found = find(name);
        if (found.isEmpty()) {
            String message = "expected the program " + name
                    + " on the path, found none; install it, on Debian from the package " + debianPackage;
            if (Boolean.parseBoolean(System.getenv("CI"))) {
                throw new AssertionError(message);
            }
            throw new TestAbortedException(message);
        }
        return found.get();
    }

    /** Runs a command to its end, with {@code environment} added to this process's own. */
    static Result run(Path directory, Map<String, String> environment, List<String> command)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile("setun-output", ".txt");
        try {
            ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
            builder.environment().putAll(environment);
            Process process = builder.redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            try {
                if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                    throw new AssertionError("still running after " + TIMEOUT_SECONDS + " s: " + command + "\n"
                            + Files.readString(output));
                }
            } finally {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
            return new Result(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
        } finally {
            Files.delete(output);
        }
    }
}
