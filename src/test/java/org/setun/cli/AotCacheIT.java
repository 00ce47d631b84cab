package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.setun.cli.PackagedSetun.Result;

/** The directory that {@code setun aot-cache} makes holds a Setun that runs with the cache in it. */
@Timeout(300)
final class AotCacheIT {

    @Test
    void theDirectoryHasTheCacheAndTheCommandThatUsesIt(@TempDir Path parent) throws Exception {
        Path directory = parent.resolve("with space");
        Result made = PackagedSetun.run("aot-cache", directory.toString());
        assertThat(made.err()).isEmpty();
        assertThat(made.exitCode()).isZero();
        Path options = directory.resolve("java-options");
        Path jar = directory.resolve("setun.jar");
        assertThat(made.out().strip()).isEqualTo("java '@" + options + "' -jar '" + jar + "'");
        assertThat(directory.resolve("setun.aot")).isNotEmptyFile();

        // With this a JVM that cannot use the cache does not start.
        List<String> strict = List.of("@" + options, "-XX:AOTMode=on", "-jar", jar.toString());
        assertThat(version(strict)).startsWith("setun ");
        // The launcher finds the options beside the jar.
        assertThat(version(List.of("-jar", jar.toString()))).startsWith("setun ");

        Result again = PackagedSetun.run("aot-cache", directory.toString());
        assertThat(again.exitCode()).isEqualTo(2);
        assertThat(again.err()).contains("exists already");
    }

    private static String version(List<String> options) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.add("--version");
        Path errors = Files.createTempFile("setun-err", ".txt");
        try {
            Process process =
                    new ProcessBuilder(command).redirectError(errors.toFile()).start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(Files.readString(errors)).isZero();
            return out;
        } finally {
            Files.delete(errors);
        }
    }
}
