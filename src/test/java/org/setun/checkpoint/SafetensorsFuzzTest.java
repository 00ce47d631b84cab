package org.setun.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;

/** Run it for real: {@code ./mvnw test-compile surefire:test@fuzz-safetensors -Dfuzz.duration=10m}. */
final class SafetensorsFuzzTest {

    @FuzzTest
    void anyBytesReadOrAreRefused(byte[] file) {
        ReadableTensors.attempt(() -> ReadableTensors.check(
                SafetensorsFile.parse("f", MemorySegment.ofArray(file)).tensors(), file.length));
    }
}
