package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import org.setun.tensor.Shape;

/** Reads whatever a reader let through, as the loader of a model might: it works, or it is refused in a sentence. */
final class ReadableTensors {

    private static final int MOST_VALUES = 1 << 16;

    private ReadableTensors() {}

    /** Checks that the tensors fit into {@code fileBytes}, and reads the small ones. */
    static void check(Iterable<StoredTensor> tensors, long fileBytes) {
        long bytes = 0;
        for (StoredTensor tensor : tensors) {
            bytes += tensor.bytes().byteSize();
            if (tensor.shape().elements() <= MOST_VALUES) {
                attempt(() -> assertThat((long) tensor.floats().length)
                        .isEqualTo(tensor.shape().elements()));
                attempt(() -> readTrits(tensor));
            }
        }
        assertThat(bytes).isLessThan(fileBytes);
    }

    private static void readTrits(StoredTensor tensor) throws CheckpointFormatException {
        Shape shape = tensor.shape();
        if (shape.rank() != 2 || shape.elements() == 0) {
            return;
        }
        int columns = (int) shape.dimension(1);
        TernaryBlocks ternary = TernaryBlocks.of(tensor, (int) shape.dimension(0), columns);
        byte[] trits = new byte[columns];
        for (int row = 0; row < ternary.rows(); row++) {
            ternary.readTrits(row, trits, 0);
            for (byte trit : trits) {
                assertThat(trit).isBetween((byte) -1, (byte) 1);
            }
        }
    }

    /** Something that may be refused. */
    @FunctionalInterface
    interface Attempt {
        void run() throws CheckpointFormatException;
    }

    /** Runs {@code attempt}; returns whether it was refused, having checked the sentence. */
    static boolean attempt(Attempt attempt) {
        try {
            attempt.run();
            return false;
        } catch (CheckpointFormatException e) {
            assertThat(e.getMessage()).startsWith("f: ").contains("; ").doesNotContain("\n");
            return true;
        }
    }
}
