package org.setun.web;

import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.setun.sampling.Cuts;
import org.setun.sampling.Dry;
import org.setun.sampling.DynamicTemperature;
import org.setun.sampling.Mirostat;
import org.setun.sampling.Penalties;
import org.setun.sampling.SamplingParameters;
import org.setun.sampling.SequenceBreakers;
import org.setun.sampling.TokenBias;
import org.setun.sampling.Xtc;

/**
 * Reads how tokens are chosen, in the dialects of OpenAI, vLLM, llama-server and TGI: numbers with their ranges. What a request says of
 * single tokens is {@link TokenFields}' to read.
 */
final class SamplingFields {

    private static final double MAX_TEMPERATURE = 2;

    private final JsonFields fields;
    private final ServedModel.SamplingDefaults defaults;

    private SamplingFields(JsonFields fields, ServedModel.SamplingDefaults defaults) {
        this.fields = fields;
        this.defaults = defaults;
    }

    /**
     * Reads the fields of one body.
     *
     * @param defaults what counts where the body says nothing
     * @throws ApiException if one is not what it should be
     */
    static SamplingParameters read(JsonFields fields, ServedModel.SamplingDefaults defaults) {
        return new SamplingFields(fields, defaults).read();
    }

    private SamplingParameters read() {
        return new SamplingParameters(
                number("temperature", 0, MAX_TEMPERATURE, defaults.temperature()),
                dynamicTemperature(),
                cuts(),
                xtc(),
                mirostat(),
                penalties(),
                dry(),
                TokenBias.NONE,
                fields.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE));
    }

    private DynamicTemperature dynamicTemperature() {
        return new DynamicTemperature(
                number("dynatemp_range", 0, DynamicTemperature.MAX_RANGE, DynamicTemperature.OFF.range()),
                number("dynatemp_exponent", 0, DynamicTemperature.MAX_EXPONENT, DynamicTemperature.OFF.exponent()));
    }

    private Cuts cuts() {
        // -1 is how vLLM's clients switch top_k off.
        int topK = fields.integer("top_k", -1, Integer.MAX_VALUE).orElse(defaults.topK());
        return new Cuts(
                Math.max(0, topK),
                share("top_p", defaults.topP()),
                number("min_p", 0, 1, Cuts.NONE.minP()),
                share("typical_p", Cuts.NONE.typicalP()));
    }

    private Xtc xtc() {
        return new Xtc(
                number("xtc_probability", 0, 1, Xtc.OFF.probability()),
                number("xtc_threshold", 0, 1, Xtc.OFF.threshold()));
    }

    private Mirostat mirostat() {
        return new Mirostat(
                fields.integer("mirostat", 0, 2).orElse(Mirostat.OFF.version()),
                number("mirostat_tau", 0, Mirostat.MAX_TAU, Mirostat.OFF.tau()),
                number("mirostat_eta", 0, 1, Mirostat.OFF.eta()));
    }

    private Penalties penalties() {
        OptionalDouble repetition = fields.number("repetition_penalty", 0, true, Penalties.MAX_REPETITION);
        OptionalDouble repeat = fields.number("repeat_penalty", 0, true, Penalties.MAX_REPETITION);
        if (repetition.isPresent() && repeat.isPresent()) {
            throw ApiException.invalidValue(
                    "repeat_penalty",
                    "repeat_penalty: expected nothing beside repetition_penalty, which means the same");
        }
        return new Penalties(
                repetition.orElse(repeat.orElse(Penalties.NONE.repetition())),
                number("presence_penalty", -Penalties.MAX_SUBTRACTED, Penalties.MAX_SUBTRACTED, 0),
                number("frequency_penalty", -Penalties.MAX_SUBTRACTED, Penalties.MAX_SUBTRACTED, 0),
                penalisedTokens(repeat.isPresent()));
    }

    /** Who speaks llama-server's dialect means the tokens that it looks at. */
    private OptionalInt penalisedTokens(boolean repeatPenalty) {
        OptionalInt last = lastTokens("repeat_last_n");
        return last.isEmpty() && repeatPenalty ? OptionalInt.of(Penalties.DEFAULT_LAST_TOKENS) : last;
    }

    private Dry dry() {
        return new Dry(
                number("dry_multiplier", 0, Dry.MAX_MULTIPLIER, Dry.OFF.multiplier()),
                number("dry_base", 1, Dry.MAX_BASE, Dry.OFF.base()),
                fields.integer("dry_allowed_length", 1, Integer.MAX_VALUE).orElse(Dry.OFF.allowedLength()),
                lastTokens("dry_penalty_last_n").orElse(Dry.OFF.lastTokens()),
                SequenceBreakers.NONE);
    }

    /** Reads a number of tokens; -1 is how llama-server's clients say all. */
    private OptionalInt lastTokens(String name) {
        OptionalInt last = fields.integer(name, -1, Integer.MAX_VALUE);
        return last.isPresent() && last.getAsInt() < 0 ? OptionalInt.of(Integer.MAX_VALUE) : last;
    }

    private double number(String name, double min, double max, double absent) {
        return fields.number(name, min, false, max).orElse(absent);
    }

    private double share(String name, double absent) {
        return fields.number(name, 0, true, 1).orElse(absent);
    }
}
