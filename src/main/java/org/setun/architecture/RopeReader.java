package org.setun.architecture;

import java.util.List;
import java.util.OptionalDouble;
import org.setun.architecture.RopeSpec.Scaling;
import org.setun.checkpoint.CheckpointFormatException;

/**
 * Reads rotary positions from configurations as the transformers library does. One object holds their parameters: {@code
 * rope_scaling} where it is given, else {@code rope_parameters}; the two are not merged.
 */
final class RopeReader {

    static final double MIN_THETA = 2;
    static final double MAX_FACTOR = 1e6;

    /** YaRN's own choice (arXiv 2309.00071, section 3.2). */
    static final double BETA_FAST = 32;

    static final double BETA_SLOW = 1;

    private static final double MAX_THETA = 1e30;
    private static final String ORIGINAL_LENGTH = "original_max_position_embeddings";

    private enum Kind {
        DEFAULT,
        LINEAR,
        LLAMA3,
        YARN
    }

    private final ConfigObject parameters;
    private final ConfigObject config;
    private final int maxPositions;

    private RopeReader(ConfigObject parameters, ConfigObject config, int maxPositions) {
        this.parameters = parameters;
        this.config = config;
        this.maxPositions = maxPositions;
    }

    /**
     * Returns the rotary positions that a configuration describes.
     *
     * @param owner the object with the keys {@code rope_scaling}, {@code rope_parameters} and {@code rope_theta}
     * @param config the whole configuration, whose original length comes before that of the parameters
     * @param maxPositions the length that stands for an original length where none is given
     * @param fallback the theta where none is given
     */
    static RopeSpec read(ConfigObject owner, ConfigObject config, int maxPositions, OptionalDouble fallback)
            throws CheckpointFormatException {
        requireWholeHeads(owner);
        OptionalDouble ownTheta = owner.optionalNumber("rope_theta", MIN_THETA, MAX_THETA);
        String key = owner.has("rope_scaling") ? "rope_scaling" : "rope_parameters";
        if (!owner.has(key)) {
            return RopeSpec.of(theta(owner, ownTheta, fallback));
        }
        ConfigObject parameters = owner.object(key);
        requireWholeHeads(parameters);
        OptionalDouble theta = parameters.optionalNumber("rope_theta", MIN_THETA, MAX_THETA);
        return new RopeSpec(
                theta.isPresent() ? theta.getAsDouble() : theta(owner, ownTheta, fallback),
                List.of(),
                new RopeReader(parameters, config, maxPositions).scaling());
    }

    private static double theta(ConfigObject owner, OptionalDouble own, OptionalDouble fallback)
            throws CheckpointFormatException {
        // Where there is neither, this says what is missing.
        return own.isEmpty() && fallback.isEmpty()
                ? owner.number("rope_theta", MIN_THETA, MAX_THETA)
                : own.orElseGet(fallback::getAsDouble);
    }

    private static void requireWholeHeads(ConfigObject object) throws CheckpointFormatException {
        if (object.optionalNumber("partial_rotary_factor", 0, 1).orElse(1) != 1) {
            throw object.invalid("partial_rotary_factor", "1, as Setun turns heads as a whole");
        }
    }

    private Scaling scaling() throws CheckpointFormatException {
        return switch (kind()) {
            case DEFAULT -> new Scaling.None();
            case LINEAR -> new Scaling.Linear(factor("factor"));
            case LLAMA3 -> llama3();
            case YARN -> yarn();
        };
    }

    private Kind kind() throws CheckpointFormatException {
        return parameters.has("rope_type")
                ? parameters.choice("rope_type", Kind.class)
                : parameters.choice("type", Kind.DEFAULT);
    }

    private Scaling llama3() throws CheckpointFormatException {
        double low = factor("low_freq_factor");
        double high = factor("high_freq_factor");
        if (high <= low) {
            throw parameters.invalid("high_freq_factor", "a number above low_freq_factor, " + low);
        }
        return new Scaling.Llama3(factor("factor"), low, high, originalLength());
    }

    private Scaling yarn() throws CheckpointFormatException {
        int originalLength = originalLength();
        double factor = parameters.has("factor") ? factor("factor") : (double) maxPositions / originalLength;
        return new Scaling.Yarn(
                factor,
                parameters.has("beta_fast") ? factor("beta_fast") : BETA_FAST,
                parameters.has("beta_slow") ? factor("beta_slow") : BETA_SLOW,
                parameters.bool("truncate", true),
                attentionFactor(factor),
                originalLength);
    }

    private double attentionFactor(double factor) throws CheckpointFormatException {
        if (parameters.has("attention_factor")) {
            return factor("attention_factor");
        }
        double mscale = parameters.optionalNumber("mscale", 0, MAX_FACTOR).orElse(0);
        double allDim =
                parameters.optionalNumber("mscale_all_dim", 0, MAX_FACTOR).orElse(0);
        return mscale != 0 && allDim != 0
                ? magnitude(factor, mscale) / magnitude(factor, allDim)
                : magnitude(factor, 1);
    }

    /** Returns how much scores shrink when frequencies are divided by {@code factor} (arXiv 2309.00071, section 3.4). */
    static double magnitude(double factor, double mscale) {
        return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }

    private int originalLength() throws CheckpointFormatException {
        ConfigObject holder = config.has(ORIGINAL_LENGTH) ? config : parameters;
        return holder.optionalInteger(ORIGINAL_LENGTH, 1, Integer.MAX_VALUE).orElse(maxPositions);
    }

    private double factor(String key) throws CheckpointFormatException {
        return parameters.number(key, 1 / MAX_FACTOR, MAX_FACTOR);
    }
}
