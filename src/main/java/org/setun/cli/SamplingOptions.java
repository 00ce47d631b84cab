package org.setun.cli;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.GenerationDefaults;
import org.setun.sampling.SamplingParameters;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the commands that draw tokens. */
final class SamplingOptions {

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 takes the likeliest token; default: the model's own, else 1.")
    private @Nullable Double temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            description = "Sample from the K likeliest tokens; default: the model's own, else all.")
    private @Nullable Integer topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Sample from the likeliest tokens that make up P; default: the model's own, else 1.")
    private @Nullable Double topP;

    @Option(names = "--seed", paramLabel = "N", description = "Makes the choice repeatable.")
    private @Nullable Long seed;

    /**
     * Returns what the user chose, and the model's own choice for the rest.
     *
     * @throws ParameterException if a number is not possible
     */
    SamplingParameters parameters(GenerationDefaults defaults) {
        boolean greedy = temperature == null && !defaults.sampling().orElse(true);
        double chosenTemperature = temperature != null
                ? temperature
                : greedy ? 0 : defaults.temperature().orElse(1);
        int chosenTopK = topK != null ? topK : defaults.topK().orElse(0);
        double chosenTopP = topP != null ? topP : defaults.topP().orElse(1);
        try {
            return new SamplingParameters(
                    chosenTemperature,
                    chosenTopK,
                    chosenTopP,
                    seed == null ? OptionalLong.empty() : OptionalLong.of(seed));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
