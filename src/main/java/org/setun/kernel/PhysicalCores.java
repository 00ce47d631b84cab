package org.setun.kernel;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * Counts processor cores. Two hardware threads of a core share its vector units, so a second one only gets in the way of the
 * arithmetic.
 */
final class PhysicalCores {

    private static final Path PROCESSORS = Path.of("/sys/devices/system/cpu");

    private PhysicalCores() {}

    /** Returns the number of cores that this process may use, at least 1. */
    static int count() {
        return count(PROCESSORS, Runtime.getRuntime().availableProcessors());
    }

    /**
     * Returns the number of cores that Linux lists below {@code processors}, but at most {@code available}, which knows of
     * container limits; {@code available} where there is no such list.
     */
    static int count(Path processors, int available) {
        Set<String> cores = new HashSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(processors, "cpu[0-9]*")) {
            for (Path entry : entries) {
                Path siblings = entry.resolve("topology/thread_siblings_list");
                if (Files.isReadable(siblings)) {
                    cores.add(Files.readString(siblings).strip());
                }
            }
        } catch (IOException e) {
            return available; // another operating system, or a sandbox without /sys: nothing is known of hardware
            // threads
        }
        return cores.isEmpty() ? available : Math.min(cores.size(), available);
    }
}
