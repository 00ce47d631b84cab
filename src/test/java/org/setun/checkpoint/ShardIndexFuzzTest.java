package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Run it for real: {@code ./mvnw test-compile surefire:test@fuzz-shard-index -Dfuzz.duration=10m}. */
final class ShardIndexFuzzTest {

    @FuzzTest
    void anyBytesReadOrAreRefused(byte[] file) {
        ReadableTensors.attempt(() -> {
            ShardIndex index = ShardIndex.parse("f", file);
            assertThat(index.shards()).allMatch(shard -> !shard.contains("/"));
        });
    }
}
