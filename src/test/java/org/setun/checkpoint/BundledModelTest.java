package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BundledModelTest {

    private static final List<String> FILES = List.of(
            "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors");

    @TempDir
    Path directory;

    @Test
    void modelInAJarBecomesADirectoryUntilItIsClosed() throws Exception {
        Path jar = directory.resolve("app.jar");
        writeJar(jar, FILES);
        try (var loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
            BundledModel model = BundledModel.extract(loader);
            assertThat(model.directory().toFile().list()).containsExactlyInAnyOrder(FILES.toArray(String[]::new));
            assertThat(model.directory().resolve("config.json")).hasContent("content of config.json");
            model.close();
            assertThat(model.directory()).doesNotExist();
            model.close();
        }
    }

    @Test
    void missingModelIsReportedAndLeavesNothingBehind() throws Exception {
        Path jar = directory.resolve("app.jar");
        writeJar(jar, FILES.subList(0, 4));
        List<Path> before = extracted();
        try (var loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
            assertThatThrownBy(() -> BundledModel.extract(loader))
                    .isInstanceOf(FileNotFoundException.class)
                    .hasMessage("class path: expected the bundled model's models/setun-fairy/model.safetensors, found"
                            + " nothing; build the jar with the model or name a checkpoint with --model PATH");
        }
        assertThat(extracted()).isEqualTo(before);
    }

    private static List<Path> extracted() throws Exception {
        try (var files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(file -> String.valueOf(file.getFileName()).startsWith("setun-model-"))
                    .sorted()
                    .toList();
        }
    }

    private static void writeJar(Path jar, List<String> files) throws Exception {
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out)) {
            for (String file : files) {
                entries.putNextEntry(new JarEntry("models/setun-fairy/" + file));
                entries.write(("content of " + file).getBytes(StandardCharsets.UTF_8));
            }
        }
    }
}
