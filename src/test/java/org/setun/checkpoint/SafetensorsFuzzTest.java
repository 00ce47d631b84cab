package org.setun.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;

/** Run it for real: {@code JAZZER_FUZZ=1 ./mvnw test-compile surefire:test@fuzz -Dtest=SafetensorsFuzzTest}. */
final class SafetensorsFuzzTest {

    @FuzzTest(maxDuration = "10m")
    void anyBytesReadOrAreRefused(byte[] file) {
        ReadableTensors.attempt(() -> ReadableTensors.check(
                SafetensorsFile.parse("f", MemorySegment.ofArray(file)).tensors(), file.length));
    }
}
