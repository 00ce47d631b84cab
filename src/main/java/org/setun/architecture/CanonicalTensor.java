package org.setun.architecture;

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

    /** The weights of a linear, {@code [rows, columns]}, with one scale if they are packed. */
    record Linear(String name, int rows, int columns, LinearStorage storage) implements CanonicalTensor {
        @Override
        public long weights() {
            return (long) rows * columns;
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
    }
}
