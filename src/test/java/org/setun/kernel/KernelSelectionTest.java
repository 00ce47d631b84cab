package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The kernels are chosen by what the machine and the JVM can do, and an impossible wish is refused with the possible ones. */
final class KernelSelectionTest {

    private static final List<Integer> WIDTHS = List.of(128, 256, 512);

    @Test
    void autoTakesTheFastestKernelsOfThisMachine() {
        try (WorkerPool workers =
                checkedName(KernelSelection.AUTO, KernelSelection.possible().fastest())) {
            assertThat(workers.threads()).isEqualTo(2);
        }
    }

    @Test
    void productsAreLookedUpWhereTheProcessorIsKnownToPermuteBytes() {
        assertThat(possible(WIDTHS, true).fastest()).isEqualTo("lookup-512");
        assertThat(possible(WIDTHS, false).fastest()).isEqualTo("vector-512");
        assertThat(possible(WIDTHS, false).names()).contains("lookup-512");
        assertThat(possible(List.of(128, 256), false).names())
                .containsExactly("auto", "scalar", "vector-128", "vector-256");
    }

    @Test
    void nativeProductsComeFirstWhereTheRestOfTheArithmeticHasTheirWidth() {
        KernelSelection.Possible all =
                possible(WIDTHS, true, NativeInstructions.VBMI512, NativeInstructions.VNNI512, NativeInstructions.AVX2);
        assertThat(all.fastest()).isEqualTo("native-vbmi512");
        assertThat(all.names())
                .containsExactly(
                        "auto",
                        "scalar",
                        "vector-128",
                        "vector-256",
                        "vector-512",
                        "lookup-512",
                        "native-vbmi512",
                        "native-vnni512",
                        "native-avx2");
        KernelSelection.Possible narrow =
                possible(List.of(128, 256), false, NativeInstructions.VNNI512, NativeInstructions.AVX2);
        assertThat(narrow.fastest()).isEqualTo("native-avx2");
        assertThat(narrow.names()).doesNotContain("native-vnni512");
        assertThat(possible(List.of(128), false, NativeInstructions.NEON).fastest())
                .isEqualTo("native-neon");
        assertThat(possible(List.of(), false, NativeInstructions.NEON).fastest())
                .isEqualTo("scalar");
    }

    private static KernelSelection.Possible possible(
            List<Integer> widths, boolean permutesBytes, NativeInstructions... natives) {
        return new KernelSelection.Possible(widths, permutesBytes, List.of(natives), "");
    }

    @Test
    void theProcessorsFeaturesAreReadFromLinux(@TempDir Path directory) throws IOException {
        Path list = directory.resolve("cpuinfo");
        Files.writeString(list, "processor\t: 0\nflags\t\t: fpu avx512vbmi sse\nprocessor\t: 1\n");
        assertThat(ProcessorFeatures.has(list, "avx512vbmi")).isTrue();
        assertThat(ProcessorFeatures.has(list, "avx512")).isFalse();
        assertThat(ProcessorFeatures.has(directory.resolve("none"), "avx512vbmi"))
                .isFalse();
    }

    @Test
    void everyPossibleKernelCanBeForced() {
        for (String name : AvailableKernels.names()) {
            checkedName(name, name).close();
        }
    }

    @Test
    void kernelsRunOnTheThreadsThatTheyAreGiven() {
        try (WorkerPool workers = WorkerPool.of(3)) {
            assertThat(KernelSelection.select("scalar", workers).workers()).isSameAs(workers);
        }
    }

    private static WorkerPool checkedName(String requested, String expected) {
        Kernels kernels = KernelSelection.select(requested, 2);
        assertThat(kernels.ternary().name()).isEqualTo(expected);
        String width = NativeInstructions.named(expected)
                .map(set -> KernelSelection.vectorName(set.bits()))
                .orElse(expected.replace("lookup", "vector"));
        assertThat(kernels.sparse().name()).isEqualTo(width);
        assertThat(kernels.floating().name()).isEqualTo(width);
        return kernels.workers();
    }

    @Test
    void anUnknownKernelIsRefusedWithThePossibleOnes() {
        for (String requested : List.of("", "vector", "vector-1024", "SCALAR")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> KernelSelection.select(requested, 1))
                    .withMessageStartingWith("kernel \"" + requested + "\"")
                    .withMessageContaining("auto, scalar");
        }
    }

    @Test
    void aJvmWithoutTheVectorModuleHasOnlyTheScalarKernelsAndNeverLoadsTheOthers() {
        String output = run(List.of("-verbose:class"), "auto");
        assertThat(output).contains("scalar [auto, scalar] the JVM was started without --add-modules=");
        assertThat(output).doesNotContain("org.setun.kernel.VectorFloatKernel", "jdk.incubator.vector.FloatVector");
    }

    @Test
    void aForcedVectorKernelWithoutTheVectorModuleIsRefusedWithTheRemedy() {
        assertThat(run(List.of(), "vector-512"))
                .contains("kernel \"vector-512\" is not possible here")
                .contains("--add-modules=jdk.incubator.vector")
                .contains("possible are auto, scalar");
    }

    @Test
    void aJvmWithoutItsOptimisingCompilerHasOnlyTheScalarKernels() {
        String module = "--add-modules=jdk.incubator.vector";
        assertThat(run(List.of(module, "-XX:TieredStopAtLevel=1"), "auto")).contains("scalar [auto, scalar]");
        assertThat(run(List.of(module, "-Xint"), "auto")).contains("scalar [auto, scalar] the JVM only interprets");
    }

    @Test
    void aJvmWithoutNativeAccessHasNoNativeKernelsAndIsNotWarnedOfThem() {
        assertThat(run(List.of("--add-modules=jdk.incubator.vector"), "auto"))
                .contains("the JVM was started without --enable-native-access=ALL-UNNAMED")
                .doesNotContain("native-vbmi512", "native-vnni512", "native-avx2", "native-neon", "restricted method");
    }

    @Test
    void nativeKernelsCanBeTurnedOff() {
        List<String> options = List.of(
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Dsetun.native-library=none");
        assertThat(run(options, "auto"))
                .contains("no native kernels, as setun.native-library is none")
                .doesNotContain("native-vbmi512", "native-vnni512", "native-avx2", "native-neon");
        assertThat(run(options, "native-avx2"))
                .contains("kernel \"native-avx2\" is not possible here")
                .contains("setun.native-library is none");
    }

    @Test
    void aNamedNativeLibraryThatIsMissingIsAnError() {
        List<String> options = List.of(
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Dsetun.native-library=/no/such/libsetun.so");
        assertThat(run(options, "auto"))
                .contains("IllegalArgumentException: /no/such/libsetun.so: expected a library with Setun's kernels")
                .contains("correct or leave out setun.native-library");
    }

    /** Selects in a JVM of its own, started with {@code options}. */
    private static String run(List<String> options, String requested) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), SelectMain.class.getName(), requested));
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Prints what was selected and what was possible. */
    static final class SelectMain {
        private SelectMain() {}

        public static void main(String[] arguments) {
            try (WorkerPool workers = KernelSelection.select(arguments[0], 1).workers()) {
                KernelSelection.Possible possible = KernelSelection.possible();
                System.out.println(possible.names().getLast() + " " + possible.names() + " " + possible.reason() + " "
                        + workers.threads());
            }
        }
    }

    @Test
    void hardwareThreadsOfACoreCountOnce(@TempDir Path processors) throws IOException {
        for (int cpu = 0; cpu < 8; cpu++) {
            Path topology = Files.createDirectories(processors.resolve("cpu" + cpu + "/topology"));
            Files.writeString(topology.resolve("thread_siblings_list"), cpu % 4 + "," + (cpu % 4 + 4) + "\n");
        }
        Files.createDirectories(processors.resolve("cpufreq"));
        assertThat(PhysicalCores.count(processors, 8)).isEqualTo(4);
        assertThat(PhysicalCores.count(processors, 3)).isEqualTo(3);
    }

    @Test
    void withoutAListOfProcessorsAllAvailableOnesCount(@TempDir Path processors) {
        assertThat(PhysicalCores.count(processors, 6)).isEqualTo(6);
        assertThat(PhysicalCores.count(processors.resolve("missing"), 6)).isEqualTo(6);
        assertThat(KernelSelection.physicalCores())
                .isBetween(1, Runtime.getRuntime().availableProcessors());
    }
}
