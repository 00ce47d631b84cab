package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.setun.engine.EngineSettings.BatchLimits;
import org.setun.engine.EngineSettings.MemoryLimits;
import org.setun.engine.EngineSettings.QueueLimits;

final class EngineSettingsTest {

    @Test
    void theDefaultsAreDocumented() {
        assertThat(EngineSettings.DEFAULTS)
                .isEqualTo(new EngineSettings(
                        new QueueLimits(256, 1_000_000),
                        new BatchLimits(32, 128, 2.5),
                        new MemoryLimits(2L << 30, 256L << 20),
                        Duration.ofSeconds(30)));
    }

    @Test
    void limitsThatCannotWorkAreRefusedByName() {
        assertThatThrownBy(() -> new QueueLimits(0, 1)).hasMessage("maxRequests: expected 1 or more, found 0");
        assertThatThrownBy(() -> new QueueLimits(1, 0)).hasMessage("maxTokens: expected 1 or more, found 0");
        assertThatThrownBy(() -> new BatchLimits(0, 1, 2)).hasMessage("maxSequences: expected 1 or more, found 0");
        assertThatThrownBy(() -> new BatchLimits(8, 7, 2))
                .hasMessageContaining("maxTokens: expected at least maxSequences (8)")
                .hasMessageContaining("found 7");
        assertThatThrownBy(() -> new BatchLimits(1, 1, 1)).hasMessage("maxSlowdown: expected more than 1, found 1.0");
        assertThatThrownBy(() -> new MemoryLimits(-1, 0)).hasMessage("pages: expected 0 or more, found -1");
        assertThatThrownBy(() -> new MemoryLimits(0, -1)).hasMessage("snapshots: expected 0 or more, found -1");
        assertThatThrownBy(() -> Settings.of(1, 1, 1, 0, Duration.ofSeconds(-1)))
                .hasMessageContaining("drainTimeout");
    }
}
