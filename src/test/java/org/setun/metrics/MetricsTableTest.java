package org.setun.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Meter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The table of all metrics that is for readers says what the code says. */
final class MetricsTableTest {

    private static final Path TABLE = Path.of("src/main/docker/metrics.md");

    private static final String HEAD = """
            # Metrics

            At `/actuator/prometheus`, where Prometheus writes names with underscores and adds the unit and `_total`. All have the tag `model`. A test
            compares this table with the code.

            """;

    @Test
    void theDocumentedMetricsAreThoseOfTheCode() throws IOException {
        Path wanted = Files.writeString(Path.of("target/metrics.md"), rendered());
        assertThat(Files.readString(TABLE))
                .as("%s; as it should be, it lies in %s", TABLE, wanted)
                .isEqualTo(rendered());
    }

    @Test
    void everyMeterHasANameOfItsOwnAndADescription() {
        assertThat(SetunMeter.values()).extracting(SetunMeter::meterName).doesNotHaveDuplicates();
        assertThat(SetunMeter.values()).allSatisfy(meter -> {
            assertThat(meter.meterName()).matches("setun(\\.[a-z0-9]+)+");
            assertThat(meter.description()).isNotBlank().doesNotEndWith(".").doesNotContain("|");
            assertThat(meter.tagKeys()).doesNotContain("model").doesNotHaveDuplicates();
        });
    }

    private static String rendered() {
        List<String> lines = new ArrayList<>(List.of("| name | type | tags | meaning |", "|---|---|---|---|"));
        for (SetunMeter meter : SetunMeter.values()) {
            String unit = meter.unit().isEmpty() || meter.type() == Meter.Type.TIMER ? "" : " of " + meter.unit();
            lines.add("| `%s` | %s%s | %s | %s |"
                    .formatted(
                            meter.meterName(),
                            type(meter.type()),
                            unit,
                            String.join(", ", meter.tagKeys()),
                            meter.description()));
        }
        return HEAD + String.join("\n", lines) + "\n";
    }

    private static String type(Meter.Type type) {
        return switch (type) {
            case COUNTER -> "counter";
            case GAUGE -> "gauge";
            case TIMER -> "timer";
            case DISTRIBUTION_SUMMARY -> "summary";
            case LONG_TASK_TIMER, OTHER -> throw new IllegalStateException("no meter is a " + type);
        };
    }
}
