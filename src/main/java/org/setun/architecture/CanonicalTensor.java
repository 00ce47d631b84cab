package org.setun.architecture;

import java.util.Optional;
import org.setun.tensor.Shape;

/** A tensor, or a linear with its scale, under the name that Setun's own checkpoints give it. */
sealed interface CanonicalTensor {

    /** Returns the name; that of a linear or a table is without {@code .weight}. */
    String name();

    /** Returns the number of weights. */
    long weights();

    /**
     * A small float tensor: norms, lower bounds, convolutions, keys.
     *
     * @param shape its extents
     * @param computed whether its values are computed rather than trained, and so are kept in float32
     */
    record Values(String name, Shape shape, boolean computed) implements CanonicalTensor {
        @Override
        public long weights() {
            return shape.elements();
        }
    }

    /** The embedding, {@code [rows, columns]} floats. */
    record Embedding(String name, int rows, int columns) implements CanonicalTensor {
        @Override
        public long weights() {
            return (long) rows * columns;
        }
    }

    /**
     * The weights of a linear, {@code [rows, columns]}, with one scale if they are packed.
     *
     * @param sparsity which activations it keeps; empty for the output head, which keeps them all whatever requests ask for
     */
    record Linear(String name, int rows, int columns, LinearStorage storage, Optional<SparsitySpec> sparsity)
            implements CanonicalTensor {
        @Override
        public long weights() {
            return (long) rows * columns;
        }

        /** Returns whether its trits are kept by columns as well, where requests may ask for so much sparsity. */
        boolean keptByColumns(double maxActivationSparsity) {
            boolean sparse = sparsity.isPresent()
                    && (maxActivationSparsity > 0 || !(sparsity.get() instanceof SparsitySpec.Dense));
            return sparse && storage != LinearStorage.FLOAT;
        }

        /** Returns the name of the tensor that holds the weights. */
        String weightName() {
            return name + ".weight";
        }

        /** Returns the name of the tensor that holds the scale of packed weights. */
        String scaleName() {
            return name + ".weight_scale";
        }
    }

    /** A table of experts, {@code [rows, columns]}, with a scale a row if it is packed. */
    record Experts(String name, int rows, int columns, LinearStorage storage) implements CanonicalTensor {
        @Override
        public long weights() {
            return (long) rows * columns;
        }

        /** Returns the name of the tensor that holds the rows. */
        String weightName() {
            return name + ".weight";
        }

        /** Returns the name of the tensor that holds the scales of packed rows. */
        String scaleName() {
            return name + ".weight_scale";
        }
    }
}
