package org.setun.architecture;

import org.setun.architecture.CanonicalTensor.Experts;
import org.setun.architecture.CanonicalTensor.Linear;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.tensor.Shape;

/**
 * The weights of a checkpoint of any family, asked for by the names of {@link CanonicalTensors}. Matrices are views of the
 * mapped file: nothing here holds a whole tensor. Valid while the checkpoint is open; for one thread, but what it returns
 * is for several.
 */
interface WeightSource {

    /**
     * Returns the values of a small float tensor, row-major.
     *
     * @throws CheckpointFormatException if it is missing, or has another shape or no float type, or is not finite
     */
    float[] values(String name, Shape shape) throws CheckpointFormatException;

    /**
     * Returns the float matrix {@code [rows, columns]} called {@code name}.
     *
     * @throws CheckpointFormatException if it is missing, or has another shape or no float type
     */
    FloatSource matrix(String name, int rows, int columns) throws CheckpointFormatException;

    /**
     * Returns the trits of a linear.
     *
     * @throws CheckpointFormatException if its tensors are missing, or have another shape or type, or are not finite
     * @throws IllegalArgumentException if the linear stays float
     */
    TernarySource ternary(Linear linear) throws CheckpointFormatException;

    /**
     * Returns the trits of a table of experts.
     *
     * @throws CheckpointFormatException if its tensors are missing, or have another shape or type
     * @throws IllegalArgumentException if the table stays float, or the family has none
     */
    default ExpertSource experts(Experts experts) throws CheckpointFormatException {
        throw new IllegalArgumentException("this family has no table of experts " + experts.name());
    }
}
