package org.setun.architecture;

import java.util.Optional;
import org.setun.checkpoint.TernaryPacking;

/** How a checkpoint stores the weights of a linear layer; the lower-case name is the one in config.json. */
enum LinearStorage {
    /** Two bits a weight, four rows a byte. */
    U2_ROWS,
    /** Two bits a weight, four columns a byte. */
    U2_COLS,
    /** Five weights a byte. */
    B3,
    /** Floats that become ternary when the model is loaded. */
    ONLINE,
    /** Floats that stay floats. */
    FLOAT;

    /** Returns the storage that has the given packing. */
    static LinearStorage of(TernaryPacking packing) {
        return switch (packing) {
            case U2_ROWS -> U2_ROWS;
            case U2_COLS -> U2_COLS;
            case B3 -> B3;
        };
    }

    /** Returns the packing of the trits; empty where floats are stored. */
    Optional<TernaryPacking> packing() {
        return switch (this) {
            case U2_ROWS -> Optional.of(TernaryPacking.U2_ROWS);
            case U2_COLS -> Optional.of(TernaryPacking.U2_COLS);
            case B3 -> Optional.of(TernaryPacking.B3);
            case ONLINE, FLOAT -> Optional.empty();
        };
    }

    /** Returns this storage with its weights packed, unless they stay float. */
    LinearStorage packed(TernaryPacking packing) {
        return this == FLOAT ? FLOAT : of(packing);
    }

    /**
     * Returns this storage with the rows of an expert table packed, unless they stay float. A row must lie in one piece, so
     * that {@link TernaryPacking#U2_ROWS} gives way to {@link TernaryPacking#U2_COLS}, of the same size.
     */
    LinearStorage packedExperts(TernaryPacking packing) {
        return packed(packing == TernaryPacking.U2_ROWS ? TernaryPacking.U2_COLS : packing);
    }
}
