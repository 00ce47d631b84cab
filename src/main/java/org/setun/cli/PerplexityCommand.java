package org.setun.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.HeadMode;
import org.setun.architecture.LoadedModel;
import org.setun.model.Model;
import org.setun.tokenizer.Tokenizer;
import org.setun.tokenizer.TokenizerFormatException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Measures how well a model predicts a file of texts. The definition is that of {@code setun_reference.evaluate} in
 * {@code src/main/python}, and both give the same numbers, but for the order of float sums ({@code README.md} there):
 *
 * <pre>
 * bits          = sum over texts, over tokens t of the text: -log2 p(t | beginning, tokens of the text before t)
 * perplexity    = 2^(bits / tokens)
 * bits per byte = bits / bytes
 * </pre>
 *
 * <p>Texts are what two empty lines separate in the file ({@link TextFile}). Tokens are those of each text without special ones;
 * the beginning is the tokenizer's token for it and counts as no token. Bytes are the texts' own in UTF-8, without what
 * separates them.
 */
@Command(
        name = "perplexity",
        description = {
            "Measures how well a model predicts a text: perplexity by token, and bits by byte.",
            "Two empty lines in the file end one text and begin another. Each token of a text is predicted from the text's tokens"
                    + " before it and the token that begins a sequence, which is not counted itself: BOS, or EOS where a tokenizer"
                    + " has none. perplexity = 2^(bits / tokens), where bits is the sum of -log2 of the tokens' probabilities;"
                    + " bits by byte = bits / bytes, the bytes being the texts' in UTF-8.",
            "With --json, standard output is one JSON object:"
                    + " {\"tokens\":...,\"bytes\":...,\"perplexity\":...,\"bits_per_byte\":...}."
        })
final class PerplexityCommand implements Callable<Integer> {

    private static final double NANOS = 1e9;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private ModelOptions options = new ModelOptions();

    @Option(names = "--file", required = true, paramLabel = "FILE", description = "The text, UTF-8.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path file;

    @Option(
            names = "--context",
            paramLabel = "N",
            description =
                    "Read a text in windows of at most N tokens, side by side, each from the beginning token on. Default: whole"
                            + " texts, if no layer has attention; else the length that the model was trained for, but at most"
                            + " 2048.")
    private @Nullable Integer context;

    @Option(
            names = "--keep",
            paramLabel = "SHARE",
            description =
                    "The share of its input that every ternary linear of the layers keeps, above 0 and at most 1; 1 is dense."
                            + " Default: the model's own.")
    private @Nullable Double keep;

    @Option(names = "--json", description = "Print one JSON object instead of text.")
    private boolean json;

    /** A score as {@code --json} prints it. */
    private record ScoreJson(
            long tokens,
            long bytes,
            double perplexity,
            @JsonProperty("bits_per_byte") double bitsPerByte) {}

    @Override
    public Integer call() throws Exception {
        if (context != null && context < 1) {
            throw new ParameterException(spec.commandLine(), "--context: expected 1 or more, found " + context);
        }
        double dropped = keep == null ? options.activationSparsity() : 1 - keep;
        if (keep != null && !(dropped >= 0 && dropped < 1)) {
            throw new ParameterException(spec.commandLine(), "--keep: expected above 0 and at most 1, found " + keep);
        }
        long size = TextFile.check(file);
        try (ModelSource source = options.source();
                Tokenizer tokenizer = TokenizerSource.open(source.path())) {
            LoadedModel loaded =
                    keep == null ? options.load(source, HeadMode.EXACT) : options.loadDropping(source, dropped);
            try (Model model = loaded.model();
                    Arena arena = Arena.ofShared()) {
                int window = context == null ? TextScorer.defaultContext(model) : context;
                int beginning = beginning(tokenizer, loaded, source);
                TextScorer.Setting setting = new TextScorer.Setting(beginning, window, dropped);
                TextScorer scorer = new TextScorer(model, tokenizer, setting, arena);
                measure(scorer, size);
                print(scorer.score());
            }
        }
        return 0;
    }

    /** Returns the token that stands before a text; where there is no BOS, EOS as in lm-evaluation-harness. */
    private static int beginning(Tokenizer tokenizer, LoadedModel loaded, ModelSource source)
            throws TokenizerFormatException {
        return Stream.of(tokenizer.bosId(), loaded.defaults().bosTokenId(), tokenizer.eosId())
                .flatMapToInt(OptionalInt::stream)
                .findFirst()
                .orElseThrow(() -> new TokenizerFormatException(
                        source.path(),
                        "expected a token that begins or ends a text, found none",
                        "name it as bos_token in tokenizer_config.json"));
    }

    private void measure(TextScorer scorer, long size) throws IOException {
        long started = System.nanoTime();
        try (TextFile texts = TextFile.open(file);
                ConsoleProgress progress = new ConsoleProgress("reading")) {
            for (Optional<TextFile.Piece> piece = texts.next(); piece.isPresent(); piece = texts.next()) {
                scorer.add(piece.get());
                progress.update("", scorer.score().bytes(), size);
            }
        }
        double seconds = (System.nanoTime() - started) / NANOS;
        Score score = scorer.score();
        PrintWriter err = spec.commandLine().getErr();
        err.printf("%,d tokens in %.2f s: %,.0f tokens/s%n", score.tokens(), seconds, score.tokens() / seconds);
        err.flush();
    }

    private void print(Score score) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(PrettyJson.write(
                    new ScoreJson(score.tokens(), score.bytes(), score.perplexity(), score.bitsPerByte())));
        } else {
            out.printf(
                    "%.3f bits per byte, perplexity %.2f of %,d tokens in %,d bytes%n",
                    score.bitsPerByte(), score.perplexity(), score.tokens(), score.bytes());
        }
        out.flush();
    }
}
