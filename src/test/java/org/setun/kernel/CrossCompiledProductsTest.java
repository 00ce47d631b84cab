package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The products in C are exact on processors that no JVM runs on here, too: where a compiler for them is installed and an emulator
 * to run what it makes. On Debian: {@code gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user}.
 */
final class CrossCompiledProductsTest {

    private static final Path SOURCES = Path.of("src", "main", "c");

    /**
     * What compiles and runs programs for a processor.
     *
     * @param emulator what runs them; nothing where the machine can
     * @param product one that the processor, or the emulator's, can run
     */
    record Toolchain(String compiler, List<String> emulator, String product) {

        private boolean isInstalled() {
            return Stream.concat(Stream.of(compiler), emulator.stream()).allMatch(CrossCompiledProductsTest::isOnPath);
        }
    }

    static Stream<Toolchain> toolchains() {
        return Stream.of(
                        new Toolchain("cc", List.of(), ""),
                        new Toolchain("aarch64-linux-gnu-gcc", List.of("qemu-aarch64"), "neon: "))
                .filter(Toolchain::isInstalled);
    }

    private static boolean isOnPath(String program) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    }

    @ParameterizedTest(name = "{0}", allowZeroInvocations = true)
    @MethodSource("toolchains")
    void productsAreExact(Toolchain toolchain, @TempDir Path directory) throws IOException, InterruptedException {
        String program = directory.resolve("products").toString();
        List<String> compile = new ArrayList<>(
                List.of(toolchain.compiler(), "-O3", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", program));
        if (!toolchain.emulator().isEmpty()) {
            compile.add("-static"); // the emulator needs no system of that processor then
        }
        compile.add(Path.of("src", "test", "c", "products.c").toString());
        try (Stream<Path> sources = Files.list(SOURCES)) {
            sources.map(Path::toString).filter(name -> name.endsWith(".c")).forEach(compile::add);
        }
        assertThat(outputOf(compile)).isEmpty();
        List<String> run = new ArrayList<>(toolchain.emulator());
        run.add(program);
        assertThat(outputOf(run)).contains(toolchain.product()).contains("products are exact");
    }

    /** Runs a command that succeeds, and returns all that it says. */
    private static String outputOf(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }
}
