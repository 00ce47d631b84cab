package org.setun.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Run it for real: {@code JAZZER_FUZZ=1 ./mvnw test-compile surefire:test@fuzz -Dtest=GgufFuzzTest}. */
final class GgufFuzzTest {

    @FuzzTest(maxDuration = "10m")
    void anyBytesReadOrAreRefused(byte[] file) {
        ReadableTensors.attempt(() -> GgufMutationTest.readAll(file));
    }
}
