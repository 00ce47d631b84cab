package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.model.StateLayout;

final class StatePoolTest {

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 63, 64, 65, 1000})
    void slotsAreAlignedExactAndApart(long bytes) {
        try (StatePool pool = new StatePool(StateLayout.recurrent(bytes), 5, 0)) {
            List<MemorySegment> slots = new ArrayList<>();
            while (pool.free() > 0) {
                slots.add(pool.takeSlot());
            }
            assertThat(slots).hasSize(5).allSatisfy(slot -> {
                assertThat(slot.byteSize()).isEqualTo(bytes);
                assertThat(slot.address() % 64).isZero();
            });
            for (int i = 0; i < 5; i++) {
                slots.get(i).fill((byte) (i + 1));
            }
            for (int i = 0; i < 5; i++) {
                byte expected = (byte) (i + 1);
                assertThat(slots.get(i).toArray(ValueLayout.JAVA_BYTE))
                        .hasSize((int) bytes)
                        .containsOnly(bytes == 0 ? new byte[0] : new byte[] {expected});
            }
        }
    }

    @Test
    void aSlotIsEmptyWhenItIsLentAgain() {
        try (StatePool pool = new StatePool(StateLayout.recurrent(100), 1, 0)) {
            MemorySegment slot = pool.takeSlot();
            slot.fill((byte) 7);
            pool.giveBack(slot);
            assertThat(pool.takeSlot().toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
        }
    }

    @Test
    void aSlotTooManyIsRefused() {
        try (StatePool pool = new StatePool(StateLayout.recurrent(8), 1, 0)) {
            MemorySegment slot = pool.takeSlot();
            pool.giveBack(slot);
            assertThatThrownBy(() -> pool.giveBack(slot)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void pagesAreLentUpToTheBudgetAndComeBackWithTheirLastHolder() {
        StateLayout layout = new StateLayout(8, 4, 100);
        try (StatePool pool = new StatePool(layout, 3, 799)) {
            assertThat(pool.freePages()).isEqualTo(7);
            SequenceMemory first = new SequenceMemory(pool, layout);
            assertThat(first.grow(13)).isTrue();
            assertThat(first.state().pages()).hasSize(4).allSatisfy(page -> {
                assertThat(page.byteSize()).isEqualTo(100);
                assertThat(page.address() % 64).isZero();
            });
            SequenceMemory second = new SequenceMemory(pool, layout);
            first.pages().subList(0, 2).forEach(second::share);
            assertThat(second.grow(20)).isTrue();
            assertThat(second.state().pages()).startsWith(first.state().pages().toArray(MemorySegment[]::new)[0]);
            assertThat(pool.freePages()).isZero();
            assertThat(second.grow(21)).isFalse();
            first.free();
            assertThat(pool.freePages()).isEqualTo(2);
            second.free();
            assertThat(pool.freePages()).isEqualTo(7);
            assertThat(pool.free()).isEqualTo(3);
        }
    }

    @Test
    void aPageThatNobodyHoldsCannotBeGivenBack() {
        try (StatePool pool = new StatePool(new StateLayout(8, 4, 100), 1, 100)) {
            Page page = Objects.requireNonNull(pool.takePage());
            assertThat(pool.takePage()).isNull();
            pool.release(page);
            assertThatThrownBy(() -> pool.release(page)).isInstanceOf(IllegalStateException.class);
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
        MemorySegment slot = pool.takeSlot();
        pool.close();
        pool.close();
        assertThat(slot.scope().isAlive()).isFalse();
    }
}
