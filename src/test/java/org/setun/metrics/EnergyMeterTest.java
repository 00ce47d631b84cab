package org.setun.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EnergyMeterTest {

    private final AtomicReference<Duration> processorTime = new AtomicReference<>(Duration.ofSeconds(100));

    @TempDir
    private Path powercap;

    @Test
    void packagesAndTheirMemoryAreAddedUp() throws IOException {
        zone("intel-rapl:0", "package-0", 1_000_000);
        zone("intel-rapl:0:0", "core", 5_000_000);
        zone("intel-rapl:0:1", "dram", 7_000_000);
        zone("intel-rapl:1", "package-1", 9_000_000);
        zone("intel-rapl:2", "psys", 9_000_000);
        EnergyMeter meter = meter();
        assertThat(meter.source()).isEqualTo("rapl");
        assertThat(meter.joules()).isZero();

        zone("intel-rapl:0", "package-0", 3_000_000);
        zone("intel-rapl:0:0", "core", 6_000_000);
        zone("intel-rapl:0:1", "dram", 7_500_000);
        zone("intel-rapl:1", "package-1", 9_250_000);
        zone("intel-rapl:2", "psys", 19_000_000);

        assertThat(meter.joules()).isCloseTo(2.75, within(1e-9));
        assertThat(meter.joules()).isCloseTo(2.75, within(1e-9));
    }

    @Test
    void aCounterThatBeganAgainGoesOn() throws IOException {
        zone("intel-rapl:0", "package-0", 9_900_000);
        EnergyMeter meter = meter();
        zone("intel-rapl:0", "package-0", 300_000);
        assertThat(meter.joules()).isCloseTo(0.4, within(1e-9));
        zone("intel-rapl:0", "package-0", 400_000);
        assertThat(meter.joules()).isCloseTo(0.5, within(1e-9));
    }

    @Test
    void whatCannotBeReadForAMomentIsMadeUpFor() throws IOException {
        zone("intel-rapl:0", "package-0", 1_000_000);
        EnergyMeter meter = meter();
        Files.delete(powercap.resolve("intel-rapl:0/energy_uj"));
        assertThat(meter.joules()).isZero();
        zone("intel-rapl:0", "package-0", 2_000_000);
        assertThat(meter.joules()).isCloseTo(1, within(1e-9));
    }

    @Test
    void withoutACounterTheProcessorTimeIsWhatThereIs() throws IOException {
        // A directory cannot be read as a file, not even by the administrator.
        zone("intel-rapl:0", "package-0", 1_000_000);
        Files.delete(powercap.resolve("intel-rapl:0/energy_uj"));
        Files.createDirectory(powercap.resolve("intel-rapl:0/energy_uj"));
        EnergyMeter meter = meter();
        assertThat(meter.source()).isEqualTo("model");

        processorTime.set(Duration.ofMillis(102_500));
        assertThat(meter.joules()).isCloseTo(2.5 * 4, within(1e-9));
        assertThat(EnergyMeter.open(powercap.resolve("nothing"), 4, processorTime::get)
                        .source())
                .isEqualTo("model");
    }

    @Test
    void thisMachineHasOneOfTheTwo() {
        EnergyMeter meter = EnergyMeter.open(5);

        assertThat(meter.source()).isIn("rapl", "model");
        assertThat(meter.joules()).isNotNegative();
    }

    private EnergyMeter meter() {
        return EnergyMeter.open(powercap, 4, processorTime::get);
    }

    private void zone(String directory, String name, long microjoules) throws IOException {
        Path zone = Files.createDirectories(powercap.resolve(directory));
        Files.writeString(zone.resolve("name"), name + "\n");
        Files.writeString(zone.resolve("max_energy_range_uj"), "10000000\n");
        Files.writeString(zone.resolve("energy_uj"), microjoules + "\n");
    }
}
