package org.setun.metrics;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The energy used since this object was made. Where Linux lets this process read the processor's own account of it (RAPL, in {@code
 * /sys/class/powercap}, which is the administrator's to allow), that of all processor packages and their memory, whatever runs on
 * them; else an estimate for this process alone: its processor time, times the power of a busy core. Thread-safe.
 */
public final class EnergyMeter {

    /** Where Linux shows the processor's counters. */
    public static final Path POWERCAP = Path.of("/sys/class/powercap");

    private static final double JOULES_PER_MICROJOULE = 1e-6;

    private final List<Zone> zones;
    private final double wattsPerCore;
    private final Supplier<Duration> processorTime;
    private final Duration startTime;
    private double joules;

    /** A counter that begins again at zero after {@code range} microjoules. */
    private static final class Zone {
        private final Path counter;
        private final long range;
        private long before;

        private Zone(Path directory) throws IOException {
            counter = directory.resolve("energy_uj");
            range = read(directory.resolve("max_energy_range_uj"));
            before = read(counter);
        }

        /**
         * Returns the microjoules since the last call that could read the counter. So long as it takes the counter to begin again
         * twice, which is most of an hour at the least, may lie between two.
         */
        private long advance() {
            long now;
            try {
                now = read(counter);
            } catch (IOException e) {
                return 0; // the next call makes up for it
            }
            long used = now >= before ? now - before : now + range - before;
            before = now;
            return used;
        }

        private static long read(Path file) throws IOException {
            String text = Files.readString(file).strip();
            try {
                return Long.parseLong(text);
            } catch (NumberFormatException e) {
                throw new IOException(file + ": expected a number, found '" + text + "'", e);
            }
        }
    }

    private EnergyMeter(List<Zone> zones, double wattsPerCore, Supplier<Duration> processorTime) {
        this.zones = zones;
        this.wattsPerCore = wattsPerCore;
        this.processorTime = processorTime;
        this.startTime = processorTime.get();
    }

    /**
     * Begins to measure, or to estimate where that is not possible.
     *
     * @param wattsPerCore the power of a busy core, for the estimate
     */
    public static EnergyMeter open(double wattsPerCore) {
        return open(POWERCAP, wattsPerCore, EnergyMeter::processorTime);
    }

    static EnergyMeter open(Path powercap, double wattsPerCore, Supplier<Duration> processorTime) {
        return new EnergyMeter(zones(powercap), wattsPerCore, processorTime);
    }

    private static List<Zone> zones(Path powercap) {
        List<Zone> zones = new ArrayList<>();
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(powercap, "intel-rapl:*")) {
            for (Path directory : directories) {
                String name = Files.readString(directory.resolve("name")).strip();
                // A package has its cores and graphics in it, but not its memory.
                if (name.startsWith("package-") || name.equals("dram")) {
                    zones.add(new Zone(directory));
                }
            }
        } catch (IOException e) {
            // No such counters, or not for us: the estimate is what there is.
            return List.of();
        }
        return zones;
    }

    private static Duration processorTime() {
        return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
    }

    /** Returns {@code rapl} or {@code model}. */
    public String source() {
        return zones.isEmpty() ? "model" : "rapl";
    }

    /** Returns the joules used so far; what could not be read this time comes with the next. */
    public synchronized double joules() {
        if (zones.isEmpty()) {
            return processorTime.get().minus(startTime).toNanos() / 1e9 * wattsPerCore;
        }
        for (Zone zone : zones) {
            joules += zone.advance() * JOULES_PER_MICROJOULE;
        }
        return joules;
    }
}
