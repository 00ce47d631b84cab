package org.setun.architecture;

import java.util.Optional;
import org.setun.checkpoint.CheckpointFormatException;

/** Says which models this version runs. */
final class Supported {

    static final String WHAT_RUNS = "it runs MLGRU and attention mixers with gated MLPs";

    private Supported() {}

    /**
     * Checks that this version runs a model.
     *
     * @param config the configuration that describes it, for the message
     * @throws CheckpointFormatException if it does not
     */
    static void require(ModelSpec spec, ConfigObject config) throws CheckpointFormatException {
        Optional<String> obstacle = obstacle(spec);
        if (obstacle.isPresent()) {
            throw new CheckpointFormatException(config.where("layers") + ": " + obstacle.get());
        }
    }

    /** Returns why this version does not run a model, or empty where it does. */
    static Optional<String> obstacle(ModelSpec spec) {
        for (int index = 0; index < spec.layers().size(); index++) {
            LayerSpec layer = spec.layers().get(index);
            Optional<String> part = unsupportedPart(layer);
            if (part.isPresent()) {
                return Optional.of("this version of Setun does not run " + part.get() + " yet (layer " + index + "); "
                        + WHAT_RUNS);
            }
        }
        return Optional.empty();
    }

    private static Optional<String> unsupportedPart(LayerSpec layer) {
        if (layer.channel() instanceof ChannelSpec.Peer) {
            return Optional.of("PEER experts");
        }
        return Optional.empty();
    }
}
