package org.setun.architecture;

import org.setun.architecture.CanonicalTensor.Experts;
import org.setun.architecture.CanonicalTensor.Linear;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.tensor.Shape;

/** Setun's own checkpoints: everything lies under its canonical name. */
record TernaryRecipe(ModelSpec spec) implements Recipe {

    static final String MODEL_TYPE = "ternary";

    /** Returns the recipe for a configuration of this family. */
    static TernaryRecipe of(ConfigObject config) throws CheckpointFormatException {
        return new TernaryRecipe(TernaryConfigReader.read(config));
    }

    @Override
    public WeightSource weights(TensorReader reader) {
        return new Weights(reader);
    }

    private record Weights(TensorReader reader) implements WeightSource {

        @Override
        public float[] values(String name, Shape shape) throws CheckpointFormatException {
            return reader.values(name, shape);
        }

        @Override
        public FloatSource matrix(String name, int rows, int columns) throws CheckpointFormatException {
            return reader.floats(name, rows, columns);
        }

        @Override
        public TernarySource ternary(Linear linear) throws CheckpointFormatException {
            return linear.storage() == LinearStorage.ONLINE
                    ? reader.absmean(linear.weightName(), linear.rows(), linear.columns(), 0)
                    : reader.packed(linear);
        }

        @Override
        public ExpertSource experts(Experts experts) throws CheckpointFormatException {
            return experts.storage() == LinearStorage.ONLINE ? reader.absmean(experts) : reader.packed(experts);
        }
    }
}
