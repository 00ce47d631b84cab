package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.PythonReference;
import org.setun.PythonReference.Command;
import org.setun.architecture.LoadOptions;
import org.setun.architecture.LoadProgress;
import org.setun.architecture.ModelLoader;
import org.setun.kernel.KernelSelection;
import org.setun.model.Batch;
import org.setun.model.Chunk;
import org.setun.model.KeyValueFormat;
import org.setun.model.Model;
import org.setun.model.SequenceState;
import org.setun.model.Workspace;
import org.setun.tokenizer.Tokenizer;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command on the model that ships and on golden ones. */
final class PerplexityCommandTest {

    private static final Path GOLDEN = Path.of("src/test/resources/golden");
    private static final Path SHIPPED = Path.of("src/main/resources/models/setun-fairy");
    private static final Path TEXT = GOLDEN.resolve("setun-fairy/perplexity.txt");

    /**
     * Of sums of floats in another order. An activation halfway between two codes would fall either way and change a long text's
     * perplexity by as much as 0.3 %, so the texts are short ones that keep clear of such.
     */
    private static final double RELATIVE_TOLERANCE = 1e-5;

    @TempDir
    private Path temporary;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return new CommandLine(new PerplexityCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    private JsonNode json(String... arguments) {
        out.getBuffer().setLength(0);
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--json", "--threads", "2"));
        assertThat(run(all.toArray(String[]::new))).as("%s", err).isZero();
        return JsonMapper.shared().readTree(out.toString());
    }

    private static void assertClose(JsonNode score, JsonNode expected) {
        assertThat(score.get("tokens").longValue())
                .isEqualTo(expected.get("tokens").longValue());
        assertThat(score.get("bytes").longValue())
                .isEqualTo(expected.get("bytes").longValue());
        for (String name : List.of("perplexity", "bits_per_byte")) {
            double value = expected.get(name).doubleValue();
            assertThat(score.get(name).doubleValue()).as(name).isCloseTo(value, within(RELATIVE_TOLERANCE * value));
        }
    }

    @Test
    void theModelThatShipsHasThePerplexitiesThatPythonMeasured() {
        JsonNode golden = JsonMapper.shared().readTree(GOLDEN.resolve("setun-fairy/perplexity.json"));
        assertThat(golden.get("scores")).hasSize(4);
        for (JsonNode expected : golden.get("scores")) {
            List<String> arguments = new ArrayList<>(List.of("--file", TEXT.toString()));
            arguments.addAll(Arrays.asList(expected.get("options").stringValue().split(" ")));
            arguments.removeIf(String::isEmpty);
            JsonNode score = json(arguments.toArray(String[]::new));
            assertThat(score.propertyNames()).containsExactly("tokens", "bytes", "perplexity", "bits_per_byte");
            assertClose(score, expected);
        }
    }

    @Test
    void pythonMeasuresTheSameNow() throws Exception {
        String measured = PythonReference.find()
                .run(Command.of("evaluate", SHIPPED, "--text", TEXT, "--keep", "0.5", "--context", 4, "--json"));
        assertClose(
                json("--file", TEXT.toString(), "--keep", "0.5", "--context", "4"),
                JsonMapper.shared().readTree(measured));
    }

    @Test
    void tokensOfAWindowArePredictedFromTheBeginningAndTheTokensBeforeThem() throws Exception {
        Path directory = GOLDEN.resolve("bitnet-tiny-packed");
        String text = "One morning\nthe na\u00efve goose slept \u2014 in the caf\u00e9!";
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        Path file = Files.writeString(temporary.resolve("text.txt"), text);
        int[] ids;
        int beginning;
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            ids = tokenizer.encode(text, false);
            beginning = tokenizer.bosId().getAsInt();
        }
        for (int context : new int[] {1, 7, ids.length, ids.length + 1}) {
            JsonNode score = json(
                    "--model", directory.toString(), "--file", file.toString(), "--context", String.valueOf(context));
            double bits = bits(directory, beginning, ids, context);
            assertThat(score.get("tokens").intValue()).isEqualTo(ids.length);
            assertThat(score.get("bytes").intValue()).isEqualTo(bytes);
            assertThat(score.get("bits_per_byte").doubleValue())
                    .as("context %d", context)
                    .isCloseTo(bits / bytes, within(1e-9));
            assertThat(score.get("perplexity").doubleValue())
                    .isCloseTo(Math.exp(bits * Math.log(2) / ids.length), within(1e-6));
        }
        assertThat(json("--model", directory.toString(), "--file", file.toString()))
                .as("a model with attention reads what it was trained for")
                .isEqualTo(json("--model", directory.toString(), "--file", file.toString(), "--context", "512"));
    }

    /** Sums up by the definition, one token a pass. */
    private static double bits(Path directory, int beginning, int[] ids, int context) throws Exception {
        double bits = 0;
        try (Model model = ModelLoader.load(
                                directory,
                                KernelSelection.select("scalar", 1),
                                LoadOptions.of(KeyValueFormat.F32),
                                LoadProgress.NONE)
                        .model();
                Arena arena = Arena.ofShared()) {
            Workspace workspace = model.newWorkspace(1, 1);
            for (int i = 0; i < ids.length; i++) {
                int start = i - i % context;
                SequenceState state = SequenceState.allocate(model.stateLayout(), context, arena);
                for (int j = start; j <= i; j++) {
                    int[] token = {j == start ? beginning : ids[j - 1]};
                    model.forward(Batch.of(new Chunk(state, j - start, token, Chunk.Wanted.LAST)), workspace);
                }
                double sum = 0;
                for (int id = 0; id < model.dimensions().vocabSize(); id++) {
                    sum += Math.exp(workspace.logits()[id]);
                }
                bits += Math.log(sum / Math.exp(workspace.logits()[ids[i]])) / Math.log(2);
            }
        }
        return bits;
    }

    @Test
    void moreActivationsDroppedAndFewerKeptAreTheSameOfADenseModel() {
        String[] model = {
            "--model", GOLDEN.resolve("bitnet-tiny-packed/model-tq2_0.gguf").toString(), "--file", TEXT.toString()
        };
        JsonNode dense = json(model);
        JsonNode kept = json(with(model, "--keep", "0.25"));
        assertThat(json(with(model, "--keep", "1"))).isEqualTo(dense);
        assertThat(kept).isNotEqualTo(dense);
        assertThat(json(with(model, "--activation-sparsity", "0.75"))).isEqualTo(kept);
    }

    private static String[] with(String[] arguments, String... more) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "de"})
    void theTextFormHasWhatTheJsonHas(String language) {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.of(language));
        try {
            assertThat(run("--file", TEXT.toString())).as("%s", err).isZero();
        } finally {
            Locale.setDefault(before);
        }
        assertThat(out.toString()).matches("1[.,]843 bits per byte, perplexity 89[.,]04 of 144 tokens in 506 bytes\\R");
        assertThat(err.toString()).containsPattern("144 tokens in [\\d.,]+ s: [\\d.,]+ tokens/s\\R$");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --json | Missing required option: '--file=FILE'
            --file x --context 0 | --context: expected 1 or more, found 0
            --file x --keep 0 | --keep: expected above 0 and at most 1, found 0.0
            --file x --keep 1.1 | --keep: expected above 0 and at most 1, found 1.1
            --file x --keep NaN | --keep: expected above 0 and at most 1, found NaN
            --file src/test/resources/golden/setun-fairy/perplexity.txt --keep 1 --activation-sparsity 0.5 | --activation-sparsity: expected no --keep beside it, found 0.5
            --file src/test/resources/golden/setun-fairy/perplexity.txt --activation-sparsity 1 | --activation-sparsity: expected at least 0 and less than 1, found 1.0
            """)
    void aWrongCommandLineIsRefusedInASentence(String arguments, String message) {
        assertThat(run(arguments.split(" "))).isEqualTo(2);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).startsWith(message);
    }

    @Test
    void helpStatesTheDefinition() {
        assertThat(new CommandLine(new PerplexityCommand()).getUsageMessage().replaceAll("\\s+", " "))
                .contains("perplexity = 2^(bits / tokens)", "bits / bytes", "BOS", "--context", "--keep", "--json");
    }
}
