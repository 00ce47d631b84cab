package org.setun.architecture;

/** In which order a file stores the rows of the projections that rotary positions turn: those of queries and of keys. */
sealed interface RowOrder {

    /** Returns which of the stored rows is row {@code row}. */
    int stored(int row);

    /** The order of the model: rotary positions turn rows {@code j} and {@code j + headDim / 2} of a head. */
    record Halves() implements RowOrder {
        @Override
        public int stored(int row) {
            return row;
        }
    }

    /**
     * The order in which llama.cpp stores Llama, whose rotary positions it computes on neighbours: rows {@code 2j} and {@code
     * 2j + 1} of a head are rows {@code j} and {@code j + headDim / 2} of the model.
     *
     * @param headDim rows of a head, an even number
     */
    record Neighbours(int headDim) implements RowOrder {
        @Override
        public int stored(int row) {
            int inHead = row % headDim;
            int half = headDim / 2;
            return row - inHead + inHead % half * 2 + inHead / half;
        }
    }
}
