package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class EngineSettingsTest {

    @Test
    void theDefaultsAreDocumented() {
        assertThat(EngineSettings.DEFAULTS)
                .isEqualTo(new EngineSettings(256, 32, 128, 2L << 30, Duration.ofSeconds(30)));
    }

    @Test
    void limitsThatCannotWorkAreRefusedByName() {
        assertThatThrownBy(() -> new EngineSettings(0, 1, 1, 0, Duration.ZERO))
                .hasMessage("maxQueuedRequests: expected 1 or more, found 0");
        assertThatThrownBy(() -> new EngineSettings(1, 0, 1, 0, Duration.ZERO))
                .hasMessage("maxSequences: expected 1 or more, found 0");
        assertThatThrownBy(() -> new EngineSettings(1, 8, 7, 0, Duration.ZERO))
                .hasMessageContaining("maxBatchTokens: expected at least maxSequences (8)")
                .hasMessageContaining("found 7");
        assertThatThrownBy(() -> new EngineSettings(1, 1, 1, 0, Duration.ofSeconds(-1)))
                .hasMessageContaining("drainTimeout");
    }
}
