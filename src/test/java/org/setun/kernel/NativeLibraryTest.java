package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The kernels in C are there where the build found a C compiler, and whatever else is given as their library is refused. What they
 * compute {@link TernaryKernelTest} compares.
 */
final class NativeLibraryTest {

    /** Whether the build could compile; it looks for the same name. */
    private static boolean hasCompiler() {
        return !System.getProperty("os.name").startsWith("Windows")
                && Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(directory -> Files.isExecutable(Path.of(directory, "cc")));
    }

    @Test
    void theKernelsAreThereWhereTheBuildFoundACompiler() {
        NativeLibrary library = NativeLibrary.get();
        if (hasCompiler()) {
            assertThat(library.description()).startsWith("native kernels are ");
            assertThat(library.products()).isNotEmpty();
        } else {
            assertThat(library.products()).isEmpty();
            assertThat(library.description()).contains("this Setun was built without any for this system");
        }
    }

    @Test
    void theKernelsAreThoseOfTheProcessor() {
        NativeLibrary library = NativeLibrary.get();
        if (!library.products().isEmpty() && Files.isReadable(Path.of("/proc/cpuinfo"))) {
            boolean vnni = ProcessorFeatures.has("avx512_vnni");
            assertThat(library.products().containsKey(NativeInstructions.VNNI512))
                    .isEqualTo(vnni);
            assertThat(library.products().containsKey(NativeInstructions.VBMI512))
                    .isEqualTo(vnni && ProcessorFeatures.has("avx512vbmi"));
            assertThat(library.products().containsKey(NativeInstructions.AVX2))
                    .isEqualTo(ProcessorFeatures.has("avx2"));
        }
    }

    @Test
    void aLibraryInAJarIsLoadedFromAFileThatDoesNotRemain(@TempDir Path directory) throws IOException {
        byte[] content = hasCompiler() ? bytesOf(NativeLibrary.built().orElseThrow()) : new byte[100];
        Path jar = directory.resolve("with spaces.jar");
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out)) {
            entries.putNextEntry(new JarEntry("native/library"));
            entries.write(content);
        }
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        long before = librariesIn(temporary);
        NativeLibrary library = NativeLibrary.at(
                URI.create("jar:" + jar.toUri() + "!/native/library").toURL());
        assertThat(librariesIn(temporary)).isEqualTo(before);
        if (hasCompiler()) {
            assertThat(library.instructions()).isEqualTo(NativeLibrary.get().instructions());
        } else {
            assertThat(library.description()).contains("they could not be loaded");
        }
    }

    private static byte[] bytesOf(URL url) throws IOException {
        try (var in = url.openStream()) {
            return in.readAllBytes();
        }
    }

    private static long librariesIn(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().startsWith("setun-native"))
                    .count();
        }
    }

    @Test
    void aFileThatIsNoLibraryIsRefused() {
        Path file = Path.of(System.getProperty("java.home"), "bin", "java");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NativeLibrary.load(file, 1))
                .withMessageStartingWith(file + ": expected a library with Setun's kernels for this system, found none")
                .withMessageEndingWith("correct or leave out setun.native-library");
    }

    @Test
    void anotherLibraryIsRefused() {
        Path other = Path.of(System.getProperty("java.home"), "lib", System.mapLibraryName("java"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NativeLibrary.load(other, 1))
                .withMessage(other + ": expected Setun's kernels of version 1, found other functions;"
                        + " build the library with this Setun");
    }

    @Test
    void aLibraryOfAnotherVersionIsRefused() throws Exception {
        if (hasCompiler()) {
            Path file = Path.of(NativeLibrary.built().orElseThrow().toURI());
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> NativeLibrary.load(file, 7))
                    .withMessage(file + ": expected Setun's kernels of version 7, found version 1;"
                            + " build the library with this Setun");
        } else {
            assertThat(NativeLibrary.get().products()).isEmpty();
        }
    }

    @Test
    void aKernelThatIsMissingIsRefusedWithTheReason() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NativeLibrary.none("it rains").kernel(NativeInstructions.AVX2))
                .withMessage("native-avx2 is not possible here: no native kernels, as it rains");
    }
}
