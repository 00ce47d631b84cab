package org.setun.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.setun.architecture.LoadedModel;
import org.setun.engine.Engine;
import org.setun.engine.EngineObserver;
import org.setun.engine.EngineSettings;
import org.setun.generation.EngineGenerator;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.generation.GenerationSettings;
import org.setun.generation.Generator;
import org.setun.generation.InvalidPromptException;
import org.setun.generation.Prompt;
import org.setun.generation.Usage;
import org.setun.model.Model;
import org.setun.sampling.SamplingParameters;
import org.setun.tokenizer.Tokenizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Continues a text in the terminal. */
@Command(name = "generate", description = "Continues a text and prints it as it comes.")
final class GenerateCommand implements Callable<Integer> {

    private static final int DEFAULT_MAX_TOKENS = 256;
    private static final double NANOS = 1e9;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private ModelOptions options = new ModelOptions();

    @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "The text to continue.")
    private String prompt = "";

    @Option(names = "--max-tokens", paramLabel = "N", description = "Tokens to generate at most; default: 256.")
    private int maxTokens = DEFAULT_MAX_TOKENS;

    @Mixin
    private SamplingOptions samplingOptions = new SamplingOptions();

    @Mixin
    private HeadOption headOption = new HeadOption();

    @Override
    public Integer call() throws Exception {
        try (ModelSource source = options.source();
                Tokenizer tokenizer = TokenizerSource.open(source.path())) {
            LoadedModel loaded = options.load(source, headOption.mode());
            try (Model model = loaded.model();
                    Engine engine = new Engine(model, EngineSettings.DEFAULTS, EngineObserver.NONE)) {
                Set<Integer> stopTokens = new HashSet<>(loaded.defaults().stopTokenIds());
                stopTokens.addAll(tokenizer.stopIds());
                GenerationSettings settings = new GenerationSettings(Integer.MAX_VALUE, DEFAULT_MAX_TOKENS, stopTokens);
                return generate(
                        new EngineGenerator(engine, tokenizer, settings),
                        samplingOptions.parameters(loaded.defaults()));
            }
        }
    }

    private int generate(Generator generator, SamplingParameters sampling) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        CompletableFuture<Usage> ended = new CompletableFuture<>();
        GenerationRequest request = new GenerationRequest(
                "generate",
                new Prompt.Text(prompt),
                OptionalInt.of(maxTokens),
                sampling,
                List.of(),
                options.activationSparsity());
        long started = System.nanoTime();
        Generator.Handle handle;
        try {
            out.print(prompt);
            out.flush();
            handle = generator.start(request, event -> {
                switch (event) {
                    case GenerationEvent.Prompt unasked -> {}
                    case GenerationEvent.Text text -> {
                        out.print(text.text());
                        out.flush();
                    }
                    case GenerationEvent.Finished finished -> ended.complete(finished.usage());
                    case GenerationEvent.Failed failed -> ended.completeExceptionally(failed.cause());
                }
            });
        } catch (InvalidPromptException e) {
            throw new ParameterException(spec.commandLine(), "--prompt: " + e.getMessage(), e);
        }
        Usage usage = ended.get();
        double seconds = (System.nanoTime() - started) / NANOS;
        out.println();
        if (out.checkError()) {
            handle.cancel();
        }
        PrintWriter err = spec.commandLine().getErr();
        err.printf(
                "%n%d prompt tokens, %d generated in %.2f s: %.1f tokens/s%n",
                usage.promptTokens(), usage.completionTokens(), seconds, usage.completionTokens() / seconds);
        err.flush();
        return 0;
    }
}
