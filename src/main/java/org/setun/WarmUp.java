package org.setun;

import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.setun.engine.EngineRejectedException;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Generator;
import org.setun.generation.InvalidPromptException;
import org.setun.generation.Prompt;
import org.setun.sampling.SamplingParameters;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.stereotype.Component;

/** Has the model answer a prompt before the server says that it is ready: Spring waits for runners. */
@Component
final class WarmUp implements ApplicationRunner {

    private static final GenerationRequest REQUEST = new GenerationRequest(
            "warm-up", new Prompt.Text("Hello"), OptionalInt.of(2), SamplingParameters.GREEDY, List.of());

    private final Generator generator;

    WarmUp(Generator generator) {
        this.generator = generator;
    }

    @Override
    public void run(ApplicationArguments arguments) throws InterruptedException {
        CompletableFuture<Void> answered = new CompletableFuture<>();
        try {
            generator.start(REQUEST, event -> {
                switch (event) {
                    case GenerationEvent.Prompt unasked -> {}
                    case GenerationEvent.Text text -> {}
                    case GenerationEvent.Finished finished -> answered.complete(null);
                    case GenerationEvent.Failed failed -> answered.completeExceptionally(failed.cause());
                }
            });
            answered.get();
        } catch (EngineRejectedException | InvalidPromptException | ExecutionException e) {
            throw new ModelUnavailableException(
                    "The model does not answer a first prompt: " + e.getMessage(),
                    "Try the model with 'setun generate', which shows more of the fault with --verbose.",
                    e);
        }
    }
}
