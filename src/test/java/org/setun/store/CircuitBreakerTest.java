package org.setun.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class CircuitBreakerTest {

    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 10);
    private final CircuitBreaker breaker = new CircuitBreaker(nanos::get);

    @Test
    void threeFailuresInARowEndTheTries() {
        assertThat(breaker.failed()).isFalse();
        assertThat(breaker.failed()).isFalse();
        assertThat(breaker.allows()).isTrue();
        assertThat(breaker.failed()).isTrue();
        assertThat(breaker.allows()).isFalse();
    }

    @Test
    void aSuccessBeginsTheCountAnew() {
        breaker.failed();
        breaker.failed();
        breaker.succeeded();
        assertThat(breaker.failed()).isFalse();
        assertThat(breaker.failed()).isFalse();
        assertThat(breaker.allows()).isTrue();
    }

    @Test
    void aFailureAfterThePauseBeginsAnotherOne() {
        for (int i = 0; i < 3; i++) {
            breaker.failed();
        }
        nanos.addAndGet(Duration.ofSeconds(5).toNanos() - 1);
        assertThat(breaker.allows()).isFalse();
        nanos.incrementAndGet();
        assertThat(breaker.allows()).isTrue();
        assertThat(breaker.failed()).isTrue();
        assertThat(breaker.allows()).isFalse();
        nanos.addAndGet(Duration.ofSeconds(5).toNanos());
        breaker.succeeded();
        assertThat(breaker.failed()).isFalse();
    }
}
