package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.test.scheduler.VirtualTimeScheduler;

final class KeepAliveTest {

    private static final byte[] TEXT = "data: {}\n\n".getBytes(StandardCharsets.UTF_8);
    private static final byte[] NOTHING = new byte[0];

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final AtomicInteger wakes = new AtomicInteger();
    private final KeepAlive keepAlive = keepAlive(Duration.ofSeconds(15));

    @AfterEach
    void endTime() {
        time.dispose();
    }

    @Test
    void aSilentStreamIsWokenAfterEachInterval() {
        keepAlive.start(this::wakeAndWriteNothing);

        time.advanceTimeBy(Duration.ofSeconds(14));
        assertThat(wakes).hasValue(0);
        time.advanceTimeBy(Duration.ofSeconds(1));
        assertThat(wakes).hasValue(1);
        time.advanceTimeBy(Duration.ofSeconds(60));
        assertThat(wakes).hasValue(5);
    }

    @Test
    void anIntervalBeginsWithTheLastWrite() {
        keepAlive.start(this::wakeAndWriteNothing);

        time.advanceTimeBy(Duration.ofSeconds(10));
        assertThat(keepAlive.fill(TEXT)).isSameAs(TEXT);
        time.advanceTimeBy(Duration.ofSeconds(14));
        assertThat(wakes).hasValue(0);
        time.advanceTimeBy(Duration.ofSeconds(1));
        assertThat(wakes).hasValue(1);
    }

    @Test
    void aWriterWithNothingToWriteCommentsOnlyWhenItIsTime() {
        keepAlive.start(wakes::incrementAndGet);

        assertThat(keepAlive.fill(NOTHING)).isEmpty();
        time.advanceTimeBy(Duration.ofSeconds(15));
        assertThat(keepAlive.fill(NOTHING)).asString().isEqualTo(": ping\n\n");
        assertThat(keepAlive.fill(NOTHING)).isEmpty();
    }

    @Test
    void textThatIsReadyWhenACommentIsDueTakesItsPlace() {
        keepAlive.start(wakes::incrementAndGet);

        time.advanceTimeBy(Duration.ofSeconds(15));
        assertThat(keepAlive.fill(TEXT)).isSameAs(TEXT);
        assertThat(keepAlive.fill(NOTHING)).isEmpty();
    }

    @Test
    void nothingComesAfterTheEnd() {
        keepAlive.start(wakes::incrementAndGet);
        time.advanceTimeBy(Duration.ofSeconds(15));

        keepAlive.stop();

        assertThat(keepAlive.fill(NOTHING)).isEmpty();
        time.advanceTimeBy(Duration.ofHours(1));
        assertThat(wakes).hasValue(1);
    }

    @Test
    void nothingBeginsAfterTheEnd() {
        keepAlive.stop();

        keepAlive.start(wakes::incrementAndGet);

        time.advanceTimeBy(Duration.ofHours(1));
        assertThat(wakes).hasValue(0);
    }

    @Test
    void withoutAnIntervalThereAreNoComments() {
        KeepAlive off = keepAlive(Duration.ZERO);

        off.start(wakes::incrementAndGet);

        time.advanceTimeBy(Duration.ofHours(1));
        assertThat(wakes).hasValue(0);
        assertThat(off.fill(NOTHING)).isEmpty();
        assertThat(off.fill(TEXT)).isSameAs(TEXT);
    }

    private KeepAlive keepAlive(Duration interval) {
        return new KeepAlive(interval, time, () -> time.now(TimeUnit.NANOSECONDS));
    }

    private void wakeAndWriteNothing() {
        wakes.incrementAndGet();
        assertThat(keepAlive.fill(NOTHING)).isNotEmpty();
    }
}
