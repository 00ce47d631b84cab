package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.model.SequenceState;
import org.setun.model.StateLayout;

final class StatePoolTest {

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 63, 64, 65, 1000})
    void slotsAreAlignedExactAndApart(long bytes) {
        try (StatePool pool = new StatePool(StateLayout.recurrent(bytes), 5, 0)) {
            List<SequenceState> states = new ArrayList<>();
            while (pool.free() > 0) {
                states.add(pool.acquire(1));
            }
            assertThat(states).hasSize(5).allSatisfy(state -> {
                assertThat(state.recurrent().byteSize()).isEqualTo(bytes);
                assertThat(state.recurrent().address() % 64).isZero();
            });
            for (int i = 0; i < 5; i++) {
                states.get(i).recurrent().fill((byte) (i + 1));
            }
            for (int i = 0; i < 5; i++) {
                byte expected = (byte) (i + 1);
                assertThat(states.get(i).recurrent().toArray(ValueLayout.JAVA_BYTE))
                        .hasSize((int) bytes)
                        .containsOnly(bytes == 0 ? new byte[0] : new byte[] {expected});
            }
        }
    }

    @Test
    void aSlotIsEmptyWhenItIsLentAgain() {
        try (StatePool pool = new StatePool(StateLayout.recurrent(100), 1, 0)) {
            SequenceState state = pool.acquire(1);
            state.recurrent().fill((byte) 7);
            pool.release(state);
            assertThat(pool.acquire(1).recurrent().toArray(ValueLayout.JAVA_BYTE))
                    .containsOnly(0);
        }
    }

    @Test
    void aSlotTooManyIsRefused() {
        try (StatePool pool = new StatePool(StateLayout.recurrent(8), 1, 0)) {
            SequenceState state = pool.acquire(1);
            pool.release(state);
            assertThatThrownBy(() -> pool.release(state)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void pagesAreLentUpToTheBudgetAndComeBack() {
        try (StatePool pool = new StatePool(new StateLayout(8, 4, 100), 3, 799)) {
            assertThat(pool.freePages()).isEqualTo(7);
            SequenceState first = pool.acquire(13);
            assertThat(first.pages()).hasSize(4).allSatisfy(page -> {
                assertThat(page.byteSize()).isEqualTo(100);
                assertThat(page.address() % 64).isZero();
            });
            assertThat(pool.fits(12)).isTrue();
            assertThat(pool.fits(13)).isFalse();
            SequenceState second = pool.acquire(12);
            assertThat(second.pages()).doesNotContainAnyElementsOf(first.pages());
            assertThat(pool.fits(1)).isFalse();
            pool.release(first);
            pool.release(second);
            assertThat(pool.freePages()).isEqualTo(7);
            assertThat(pool.acquire(28).pages()).hasSize(7).containsAll(first.pages());
        }
    }

    @Test
    void memoryThatDoesNotExistIsRefusedWithTheRemedy() {
        assertThatThrownBy(() -> new StatePool(StateLayout.recurrent(Long.MAX_VALUE / 8), 64, 0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("64 sequences")
                .hasMessageContaining("lower the number of sequences");
    }

    @Test
    void closeFreesTheSlotsAndMayBeRepeated() {
        StatePool pool = new StatePool(StateLayout.recurrent(8), 1, 0);
        SequenceState state = pool.acquire(1);
        pool.close();
        pool.close();
        assertThat(state.recurrent().scope().isAlive()).isFalse();
    }
}
