package org.setun.generation;

import java.util.function.Consumer;
import org.setun.engine.Engine;
import org.setun.engine.EngineRejectedException;
import org.setun.tokenizer.Tokenizer;

/** Generates text with an engine and the tokenizer of its model, both of which stay the caller's. */
public final class EngineGenerator implements Generator {

    /** Creates a generator over {@code engine}, whose token ids are {@code tokenizer}'s. */
    public EngineGenerator(Engine engine, Tokenizer tokenizer, GenerationSettings settings) {
        if (tokenizer.vocabSize() < 1
                || engine.vocabSize() < settings.stopTokens().size()) {
            throw new IllegalArgumentException("empty vocabulary");
        }
    }

    @Override
    public Handle start(GenerationRequest request, Consumer<GenerationEvent> events)
            throws EngineRejectedException, InvalidPromptException {
        throw new InvalidPromptException("unsupported", "no generation yet");
    }
}
