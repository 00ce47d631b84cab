package org.setun.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a JVM that runs Setun is started with. */
public final class JavaOptions {

    /**
     * The name of the file, beside the jar, of options that {@code setun aot-cache} has made for it; {@code java} reads them as
     * {@code @java-options}.
     */
    static final String FILE = "java-options";

    /** What Setun needs; the same as {@code setun.jvmFlags} in the build. */
    private static final List<String> ALWAYS =
            List.of("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED");

    private JavaOptions() {}

    /** Returns the options for the jar that this JVM runs: those in the file beside it, or else those that are always right. */
    public static List<String> ofThisJar() {
        Path jar = Path.of(System.getProperty("java.class.path"));
        Path file = jar.toAbsolutePath().resolveSibling(FILE);
        return isJar(jar) && Files.isRegularFile(file) ? List.of("@" + file) : ALWAYS;
    }

    /** Returns whether {@code classPath} is one jar, and not a list of many places. */
    static boolean isJar(Path classPath) {
        return classPath.toString().endsWith(".jar") && Files.isRegularFile(classPath);
    }

    /** Returns the options that are always right, with {@code more} after them. */
    static List<String> with(String... more) {
        List<String> options = new ArrayList<>(ALWAYS);
        options.addAll(List.of(more));
        return options;
    }

    /** Writes options to a file that {@code java} reads with an at sign before its name. */
    static void write(Path file, List<String> options) throws IOException {
        Files.write(
                file,
                options.stream()
                        .map(option -> '"' + option.replace("\\", "\\\\").replace("\"", "\\\"") + '"')
                        .toList());
    }
}
