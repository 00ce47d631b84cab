package org.setun.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Run it for real: {@code ./mvnw test-compile surefire:test@fuzz-gguf -Dfuzz.duration=10m}. */
final class GgufFuzzTest {

    @FuzzTest
    void anyBytesReadOrAreRefused(byte[] file) {
        ReadableTensors.attempt(() -> GgufMutationTest.readAll(file));
    }
}
