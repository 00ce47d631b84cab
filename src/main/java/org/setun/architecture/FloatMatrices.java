package org.setun.architecture;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.WorkerPool;
import org.setun.tensor.FloatMatrix;
import org.setun.tensor.ScreenMatrix;

/** Brings the float matrices of a checkpoint to where {@link FloatPlacement} says. */
final class FloatMatrices {

    private static final long ALIGNMENT = 64;

    private final ModelSpec spec;
    private final WeightSource source;
    private final WorkerPool workers;
    private final HeadMode headMode;
    private final Arena arena;
    private final ReportBuilder report;
    private @Nullable ScreenMatrix screen;

    /**
     * Creates what loads matrices of one model.
     *
     * @param arena receives the matrices
     */
    FloatMatrices(
            ModelSpec spec,
            WeightSource source,
            WorkerPool workers,
            HeadMode headMode,
            Arena arena,
            ReportBuilder report) {
        this.spec = spec;
        this.source = source;
        this.workers = workers;
        this.headMode = headMode;
        this.arena = arena;
        this.report = report;
    }

    /**
     * Loads the matrix {@code [rows, columns]} called {@code name}.
     *
     * @throws IOException if it is to stay in its file and cannot be mapped
     */
    FloatMatrix load(String name, int rows, int columns) throws CheckpointFormatException, IOException {
        FloatSource stored = source.matrix(name, rows, columns);
        FloatPlacement placement = FloatPlacement.of(name, stored, spec, headMode);
        MemorySegment bytes = placement.inFile() ? stored.mapAgain(arena) : copy(stored, rows, columns);
        if (placement.screened()) {
            screen = screen(stored, rows, columns);
        }
        report.addMatrix(stored.type(), placement, rows, columns);
        return new FloatMatrix(rows, columns, stored.type(), bytes);
    }

    /** Returns the head's weights in eight bits, if it has been loaded and is screened; else null. */
    @Nullable
    ScreenMatrix screen() {
        return screen;
    }

    /** Copies a float matrix as it is stored, but for blocks, which become float32, so that the file can be closed. */
    private MemorySegment copy(FloatSource stored, int rows, int columns) throws CheckpointFormatException {
        long rowBytes = (long) columns * stored.type().bytes();
        MemorySegment bytes = arena.allocate(rows * rowBytes, ALIGNMENT);
        if (stored.isPlain()) {
            bytes.copyFrom(stored.bytes());
        } else {
            RowLoop.run(workers, rows, 1, (from, to) -> {
                float[] row = new float[columns];
                for (int r = from; r < to; r++) {
                    stored.readRow(r, row, 0);
                    bytes.asSlice(r * rowBytes, rowBytes)
                            .copyFrom(MemorySegment.ofArray(FloatEncoder.encode(row, stored.type())));
                }
            });
        }
        return bytes;
    }

    /** Reads the stored rows, whose mapping ends with loading: what is read of a mapping that stays takes memory. */
    private ScreenMatrix screen(FloatSource stored, int rows, int columns) throws CheckpointFormatException {
        ScreenMatrix.Builder builder = new ScreenMatrix.Builder(rows, columns, arena);
        RowLoop.run(workers, rows, ScreenMatrix.PANEL_ROWS, (from, to) -> {
            float[] row = new float[columns];
            for (int r = from; r < to; r++) {
                stored.readRow(r, row, 0);
                builder.setRow(r, row);
            }
        });
        return builder.build();
    }
}
