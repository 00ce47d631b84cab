package org.setun;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class MemoryBandwidthTest {

    @Test
    void memoryIsReadAtASaneRate() {
        try (MemoryBandwidth bandwidth = new MemoryBandwidth(2, () -> true)) {
            assertThat(bandwidth.bytesPerSecond()).isNaN();
            assertThat(bandwidth.measure()).isBetween(1e7, 1e13);
        }
    }

    @Test
    void aRequestEndsTheMeasurement() {
        AtomicInteger asked = new AtomicInteger();
        try (MemoryBandwidth bandwidth = new MemoryBandwidth(1, () -> asked.incrementAndGet() <= 2)) {
            assertThat(bandwidth.measure()).isNaN();
            assertThat(asked).hasValue(3);
        }
    }
}
