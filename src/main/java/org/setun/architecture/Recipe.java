package org.setun.architecture;

import java.util.List;
import org.setun.checkpoint.CheckpointFormatException;

/**
 * How one family's checkpoint becomes a model: what its configuration describes, and its tensors under canonical names.
 * A family is one implementation and one case in {@link #of}.
 */
interface Recipe {

    /** The values of {@code model_type} that have a recipe. */
    List<String> TYPES = List.of(
            TernaryRecipe.MODEL_TYPE,
            HgrnBitRecipe.MODEL_TYPE,
            TransformerRecipe.BITNET_TYPE,
            TransformerRecipe.LLAMA_TYPE);

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
        return switch (type) {
            case TernaryRecipe.MODEL_TYPE -> TernaryRecipe.of(config);
            case HgrnBitRecipe.MODEL_TYPE -> HgrnBitRecipe.of(config);
            case TransformerRecipe.BITNET_TYPE, TransformerRecipe.LLAMA_TYPE -> TransformerRecipe.of(config);
            default ->
                throw CheckpointFormatException.mismatch(
                        config.where("model_type"),
                        "one of " + String.join(", ", TYPES),
                        '"' + type + '"',
                        "Setun runs ternary models of these families only");
        };
    }
}
