package org.setun.architecture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import org.setun.architecture.ModelSpec.SpecialTokens;
import org.setun.checkpoint.CheckpointFormatException;

/**
 * How a checkpoint's authors want it to generate: {@code config.json}, and {@code generation_config.json} where there is
 * one.
 *
 * @param bosTokenId the id that starts a text
 * @param stopTokenIds each of them ends a text; those of both files
 * @param sampling whether to sample rather than take the likeliest token
 * @param temperature divides the logits; at least 0
 * @param topP keeps the likeliest tokens up to this sum of probabilities; more than 0 and at most 1
 * @param topK keeps that many of the likeliest tokens; 0 for all
 */
public record GenerationDefaults(
        OptionalInt bosTokenId,
        List<Integer> stopTokenIds,
        Optional<Boolean> sampling,
        OptionalDouble temperature,
        OptionalDouble topP,
        OptionalInt topK) {

    private static final String FILE = "generation_config.json";
    private static final double MAX_TEMPERATURE = 100;

    public GenerationDefaults {
        stopTokenIds = List.copyOf(stopTokenIds);
    }

    /** Returns the defaults of a checkpoint whose configuration alone says something: {@code tokens}. */
    static GenerationDefaults of(SpecialTokens tokens) {
        return new GenerationDefaults(
                tokens.bos(),
                tokens.eos(),
                Optional.empty(),
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                OptionalInt.empty());
    }

    /** Reads the defaults of the checkpoint in {@code directory}, whose configuration gives {@code tokens}. */
    static GenerationDefaults read(Path directory, SpecialTokens tokens) throws CheckpointFormatException, IOException {
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            return of(tokens);
        }
        ConfigObject config = ConfigObject.read(file);
        SpecialTokens own = TernaryConfigReader.specialTokens(config);
        Set<Integer> stops = new LinkedHashSet<>(tokens.eos());
        stops.addAll(own.eos());
        return new GenerationDefaults(
                own.bos().isPresent() ? own.bos() : tokens.bos(),
                List.copyOf(stops),
                config.has("do_sample") ? Optional.of(config.bool("do_sample")) : Optional.empty(),
                config.optionalNumber("temperature", 0, MAX_TEMPERATURE),
                config.optionalShare("top_p"),
                config.optionalInteger("top_k", 0, Integer.MAX_VALUE));
    }
}
