package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A worker rests for as long as it was waited for, longer when that happens again soon, and never for long. */
final class WorkerRestTest {

    private static final long MILLI = 1_000_000;

    private final WorkerRest rest = new WorkerRest();

    /** Begins a rest and returns how long it lasts, in milliseconds. */
    private long lengthOf(long now, long waitedNanos) {
        rest.begin(now, waitedNanos);
        assertThat(rest.resting()).isTrue();
        long length = 0;
        while (!rest.endIfOver(now + length)) {
            length += MILLI;
        }
        assertThat(rest.resting()).isFalse();
        return length / MILLI;
    }

    @Test
    void aFirstRestIsAsLongAsTheWait() {
        assertThat(lengthOf(-50 * MILLI, 3 * MILLI)).isEqualTo(3);
    }

    @Test
    void aRestSoonAfterAnotherIsTwiceAsLongUpToTheMost() {
        long now = 0;
        for (long expected : new long[] {3, 6, 12, 24, 48, 96, 100, 100}) {
            long length = lengthOf(now, 3 * MILLI);
            assertThat(length).isEqualTo(expected);
            now += (length + 2) * MILLI;
        }
    }

    @Test
    void aWorkerThatHeldNobodyUpForLongStartsAnew() {
        assertThat(lengthOf(0, 3 * MILLI)).isEqualTo(3);
        assertThat(lengthOf(5 * MILLI, 3 * MILLI)).isEqualTo(6);
        long back = 11 * MILLI;
        assertThat(lengthOf(back + 4 * 6 * MILLI, 2 * MILLI)).isEqualTo(2);
    }

    @Test
    void aRestEndsOnce() {
        rest.begin(0, MILLI);
        assertThat(rest.endIfOver(MILLI - 1)).isFalse();
        assertThat(rest.endIfOver(MILLI)).isTrue();
        assertThat(rest.endIfOver(2 * MILLI)).isFalse();
    }
}
