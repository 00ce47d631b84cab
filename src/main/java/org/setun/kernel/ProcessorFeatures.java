package org.setun.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the operating system says of the processor. The JVM uses these instructions by itself but does not tell of them. */
final class ProcessorFeatures {

    private static final Path LINUX = Path.of("/proc/cpuinfo");

    private ProcessorFeatures() {}

    /** Returns whether the processor is known to have {@code feature}, by its name in Linux; false where there is no such list. */
    static boolean has(String feature) {
        return has(LINUX, feature);
    }

    static boolean has(Path list, String feature) {
        try (var lines = Files.lines(list, StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> line.startsWith("flags"))
                    .limit(1)
                    .anyMatch(line -> List.of(line.split("\\s+")).contains(feature));
        } catch (IOException noSuchList) {
            return false;
        }
    }
}
