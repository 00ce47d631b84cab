package org.setun.architecture;

import java.util.Optional;
import org.setun.checkpoint.CheckpointFormatException;

/**
 * How one family's checkpoint becomes a model: what its configuration describes, and its tensors under canonical names.
 * A family is one implementation and one case in {@link #of}.
 */
interface Recipe {

    /** Returns what the configuration describes. */
    ModelSpec spec();

    /**
     * Presents the tensors behind {@code reader} under the names of {@link CanonicalTensors}.
     *
     * @throws CheckpointFormatException if a tensor that is needed at once is missing or wrong
     */
    WeightSource weights(TensorReader reader) throws CheckpointFormatException;

    /**
     * Returns the recipe for a configuration.
     *
     * @throws CheckpointFormatException if its {@code model_type} is none that this version runs, a key is missing, or a
     *     value is not understood
     */
    static Recipe of(ConfigObject config) throws CheckpointFormatException {
        String type = config.text("model_type");
        Optional<String> obstacle = Supported.obstacle(type);
        if (obstacle.isPresent()) {
            throw new CheckpointFormatException(config.where("model_type") + ": " + obstacle.get());
        }
        return switch (type) {
            case TernaryRecipe.MODEL_TYPE -> TernaryRecipe.of(config);
            case HgrnBitRecipe.MODEL_TYPE -> HgrnBitRecipe.of(config);
            default ->
                throw CheckpointFormatException.mismatch(
                        config.where("model_type"),
                        '"' + TernaryRecipe.MODEL_TYPE + "\" or \"" + HgrnBitRecipe.MODEL_TYPE + '"',
                        '"' + type + '"',
                        "Setun runs ternary models of these families only");
        };
    }
}
