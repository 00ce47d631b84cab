package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class StreamingReadTest {

    private static final int BLOCK = 4096;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void readsEveryLongOnceWhateverTheNumberOfThreads(int threads) {
        try (StreamingRead memory = new StreamingRead(7 * BLOCK);
                WorkerPool workers = WorkerPool.of(threads)) {
            assertThat(memory.bytes()).isEqualTo(7 * BLOCK);
            long longs = memory.bytes() / Long.BYTES;
            assertThat(memory.read(workers)).isEqualTo(longs * 0x0101010101010101L);
        }
    }

    @Test
    void refusesWhatIsNoWholeNumberOfBlocks() {
        assertThatThrownBy(() -> new StreamingRead(BLOCK + 8))
                .hasMessage("expected a multiple of 4096 bytes, found 4104");
        assertThatThrownBy(() -> new StreamingRead(0)).hasMessage("expected a multiple of 4096 bytes, found 0");
    }
}
