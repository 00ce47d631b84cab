package org.setun.architecture;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.setun.checkpoint.CheckpointFormatException;

/**
 * What the {@code quantization_config} of a transformer says: where the trits of its linears come from, and which linears stay
 * float.
 *
 * @param weights where the trits come from
 * @param exclusions the modules that stay float
 */
record BitnetQuantization(Weights weights, List<Exclusion> exclusions) {

    private static final String KEY = "quantization_config";
    private static final String MODULES = "modules_to_not_convert";
    private static final String HEAD = "lm_head";

    /** Where the trits of a linear and their factor come from. */
    enum Weights {
        /** There are none: the linears are float. */
        FLOAT,
        /** Float masters, made ternary by their mean magnitude. */
        MASTERS,
        /** Stored trits, and {@code weight_scale} is their factor. */
        TRITS,
        /** Stored trits, and {@code weight_scale} is the reciprocal of their factor. */
        TRITS_WITH_RECIPROCAL
    }

    /**
     * Names modules as the transformers library reads such entries: by a regular expression anchored at the start only, or by
     * the end of the name.
     */
    record Exclusion(Pattern pattern, String suffix) {
        boolean covers(String module) {
            return pattern.matcher(module).lookingAt() || module.endsWith(suffix);
        }
    }

    BitnetQuantization {
        exclusions = List.copyOf(exclusions);
    }

    /** Reads what {@code config} says. */
    static BitnetQuantization read(ConfigObject config) throws CheckpointFormatException {
        Optional<ConfigObject> optional = config.optionalObject(KEY);
        if (optional.isEmpty()) {
            return new BitnetQuantization(Weights.FLOAT, List.of());
        }
        ConfigObject quantization = optional.get();
        quantization.choice("quant_method", List.of("bitnet"));
        if (quantization.bool("use_rms_norm", false)) {
            throw quantization.invalid(
                    "use_rms_norm", "false, as Setun runs no norm of its own in front of the up projection");
        }
        return new BitnetQuantization(weights(quantization), exclusions(quantization));
    }

    private static Weights weights(ConfigObject quantization) throws CheckpointFormatException {
        boolean multiplies = quantization.has("linear_class")
                && quantization
                        .choice("linear_class", List.of("bitlinear", "autobitlinear"))
                        .equals("autobitlinear");
        if (!multiplies) {
            // This class has no online mode and ignores the field.
            return Weights.TRITS_WITH_RECIPROCAL;
        }
        boolean online = quantization.has("quantization_mode")
                && quantization
                        .choice("quantization_mode", List.of("offline", "online"))
                        .equals("online");
        return online ? Weights.MASTERS : Weights.TRITS;
    }

    private static List<Exclusion> exclusions(ConfigObject quantization) throws CheckpointFormatException {
        List<Exclusion> exclusions = new ArrayList<>();
        // A list replaces the default.
        List<String> entries = quantization.has(MODULES) ? quantization.texts(MODULES) : List.of(HEAD);
        for (String entry : entries) {
            try {
                exclusions.add(new Exclusion(Pattern.compile(entry), entry));
            } catch (PatternSyntaxException e) {
                throw quantization.invalid(MODULES, "regular expressions as RE2 reads them");
            }
        }
        if (exclusions.stream().noneMatch(exclusion -> exclusion.covers(HEAD))) {
            throw quantization.invalid(MODULES, "a list that covers lm_head, as Setun runs no ternary head here");
        }
        return exclusions;
    }

    /** Returns whether the linear whose module has this name stays float. */
    boolean excludes(String module) {
        return exclusions.stream().anyMatch(exclusion -> exclusion.covers(module));
    }
}
