package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Run it for real: {@code JAZZER_FUZZ=1 ./mvnw test-compile surefire:test@fuzz -Dtest=ShardIndexFuzzTest}. */
final class ShardIndexFuzzTest {

    @FuzzTest(maxDuration = "10m")
    void anyBytesReadOrAreRefused(byte[] file) {
        ReadableTensors.attempt(() -> {
            ShardIndex index = ShardIndex.parse("f", file);
            assertThat(index.shards()).allMatch(shard -> !shard.contains("/"));
        });
    }
}
