package org.setun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

final class HugePageArenaTest {

    private static final long LARGE = 300L << 20;

    @Test
    void segmentsAreZeroAlignedAndApart() {
        try (HugePageArena arena = HugePageArena.ofShared()) {
            List<MemorySegment> segments = new ArrayList<>();
            for (long bytes : new long[] {1, 100, 64 << 10, (64 << 10) + 1, 3 << 20, 1, 5 << 20}) {
                for (long alignment : new long[] {1, 64, 4096, 4L << 20}) {
                    MemorySegment segment = arena.allocate(bytes, alignment);
                    assertThat(segment.byteSize()).isEqualTo(bytes);
                    assertThat(segment.address() % alignment).isZero();
                    assertThat(holdsOnly(segment, 0)).isTrue();
                    segment.fill((byte) (segments.size() + 1));
                    segments.add(segment);
                }
            }
            for (int i = 0; i < segments.size(); i++) {
                assertThat(holdsOnly(segments.get(i), i + 1)).isTrue();
            }
        }
    }

    private static boolean holdsOnly(MemorySegment segment, int value) {
        byte[] expected = new byte[Math.toIntExact(segment.byteSize())];
        Arrays.fill(expected, (byte) value);
        return segment.mismatch(MemorySegment.ofArray(expected)) < 0;
    }

    @Test
    void moreThanOneReservationCanBeFilled() {
        try (HugePageArena arena = HugePageArena.ofShared()) {
            MemorySegment previous = MemorySegment.NULL;
            for (int i = 0; i < 12; i++) {
                MemorySegment segment = arena.allocate(LARGE, 64);
                segment.set(ValueLayout.JAVA_BYTE, LARGE - 1, (byte) 1);
                assertThat(segment.asOverlappingSlice(previous)).isEmpty();
                previous = segment;
            }
            assertThat(arena.allocate(5L << 30, 64).byteSize()).isEqualTo(5L << 30);
        }
    }

    @Test
    void aClosedArenasMemoryIsOutOfReach() {
        MemorySegment segment;
        try (HugePageArena arena = HugePageArena.ofShared()) {
            segment = arena.allocate(LARGE, 64);
        }
        assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void memoryIsTakenWhereItIsTouchedAndGivenBackAtTheEnd() throws Exception {
        long before = residentBytes();
        try (HugePageArena arena = HugePageArena.ofShared()) {
            MemorySegment segment = arena.allocate(LARGE, 64);
            assertThat(residentBytes() - before).isLessThan(LARGE / 4);
            segment.fill((byte) 1);
            assertThat(residentBytes() - before).isGreaterThan(LARGE * 3 / 4);
        }
        assertThat(residentBytes() - before).isLessThan(LARGE / 4);
    }

    /** Returns the process's anonymous memory, in bytes: proc_pid_status(5). */
    private static long residentBytes() throws Exception {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("RssAnon:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .sum();
    }
}
