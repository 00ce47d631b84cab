package org.setun.architecture;

import org.setun.architecture.ModelSpec.HeadSpec;

/**
 * Where a float matrix of a checkpoint is kept.
 *
 * @param inFile whether it stays in its file, mapped, and takes memory only where it is read; else it is copied
 * @param screened whether it is kept in eight bits a weight as well
 */
record FloatPlacement(boolean inFile, boolean screened) {

    /** Matrices of fewer bytes stay in the caches, or nearly, and are not worth a mapping. */
    private static final long LARGE_BYTES = 32L << 20;

    /**
     * Decides for one matrix. An embedding that is not also the head, and a screened head, are read row by row, a few a step; if
     * they are large, they stay in their file.
     *
     * @param name the canonical name of its tensor
     */
    static FloatPlacement of(String name, FloatSource stored, ModelSpec spec, HeadMode mode) {
        boolean tied = spec.head() instanceof HeadSpec.Tied;
        boolean embedding = name.equals(CanonicalTensors.EMBEDDING);
        boolean head = tied ? embedding : name.equals(CanonicalTensors.HEAD_WEIGHT);
        boolean large = stored.loadedBytes() >= LARGE_BYTES;
        boolean screened = head
                && switch (mode) {
                    case AUTO -> large;
                    case EXACT -> false;
                    case SCREENED -> true;
                };
        boolean rowsOnly = head ? screened : embedding;
        return new FloatPlacement(rowsOnly && stored.canStayMapped() && (large || mode == HeadMode.SCREENED), screened);
    }
}
