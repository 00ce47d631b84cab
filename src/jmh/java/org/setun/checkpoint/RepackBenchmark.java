package org.setun.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.setun.tensor.ElementType;
import org.setun.tensor.HugePageArena;
import org.setun.tensor.TernaryLayout;
import org.setun.tensor.TernaryMatrix;

/**
 * What loading does with most of a checkpoint's bytes: unpack the rows of a matrix of 2560 by 6912 trits, and pack them again as kernels want
 * them. Scores are for one trit, on one thread.
 *
 * <p>Run {@code ./mvnw -q test-compile exec:exec@jmh -Djmh.args='RepackBenchmark'}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(RepackBenchmark.ROWS * RepackBenchmark.COLUMNS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
// A second JVM shows whether a result is one of compilation order.
@Fork(value = 2, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class RepackBenchmark {

    static final int ROWS = 2560;
    static final int COLUMNS = 6912;

    /** Rows that loading hands over at once. */
    private static final int BATCH = 64;

    /** How the checkpoint stores trits. */
    @Param({"U2_ROWS", "U2_COLS", "B3"})
    public TernaryPacking packing = TernaryPacking.U2_ROWS;

    /** How the kernels of AVX-512 VBMI, and all others, want them. */
    @Param({"base3", "cells"})
    public String layout = "";

    private final byte[] trits = new byte[BATCH * COLUMNS + Long.BYTES];
    private StoredTensor stored = new StoredTensor(
            "none", "w", ElementType.U8, TernaryPacking.B3.packedShape(1, 1), MemorySegment.ofArray(new byte[1]));
    private final Arena arena = Arena.ofShared();

    /** Packs random trits. */
    @Setup
    public void pack() {
        Random random = new Random(7);
        int perPackedRow = packing.rowsPerPackedRow();
        byte[] rows = new byte[perPackedRow * COLUMNS];
        var shape = packing.packedShape(ROWS, COLUMNS);
        int rowBytes = (int) shape.dimension(1);
        byte[] packed = new byte[Math.toIntExact(shape.elements())];
        for (int row = 0; row < shape.dimension(0); row++) {
            for (int i = 0; i < rows.length; i++) {
                rows[i] = (byte) (random.nextInt(3) - 1);
            }
            packing.packRow(rows, COLUMNS, packed, row * rowBytes);
        }
        MemorySegment bytes = arena.allocate(packed.length);
        bytes.copyFrom(MemorySegment.ofArray(packed));
        stored = new StoredTensor("none", "w", ElementType.U8, shape, bytes);
    }

    /** Frees the packed trits. */
    @TearDown
    public void free() {
        arena.close();
    }

    /** Unpacks all rows. */
    @Benchmark
    public byte[] unpack() throws CheckpointFormatException {
        for (int row = 0; row < ROWS; row++) {
            packing.unpackRow(stored, ROWS, COLUMNS, row, trits, row % BATCH * COLUMNS);
        }
        return trits;
    }

    /** Unpacks all rows and packs them again, in memory that is taken for it. */
    @Benchmark
    public long repack() throws CheckpointFormatException {
        TernaryLayout target = layout.equals("cells") ? new TernaryLayout.Cells() : new TernaryLayout.Base3(2);
        try (HugePageArena memory = HugePageArena.ofShared()) {
            TernaryMatrix.Builder builder = target.builder(ROWS, COLUMNS, memory);
            for (int first = 0; first < ROWS; first += BATCH) {
                for (int i = 0; i < BATCH; i++) {
                    packing.unpackRow(stored, ROWS, COLUMNS, first + i, trits, i * COLUMNS);
                }
                builder.setRows(first, BATCH, trits, 0, COLUMNS);
            }
            return builder.build(1).zeros();
        }
    }
}
