package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.setun.PythonReference;
import org.setun.PythonReference.Command;
import org.setun.kernel.KernelSelection;
import org.setun.model.Batch;
import org.setun.model.Chunk;
import org.setun.model.KeyValueFormat;
import org.setun.model.Model;
import org.setun.model.SequenceState;
import org.setun.model.Workspace;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The way from PyTorch to Setun, walked: what the Python package computes and exports, computed here. */
@Timeout(600)
final class PythonReferenceTest {

    private static final Path SHIPPED = Path.of("src/main/resources/models/setun-fairy");
    private static final float TOLERANCE = 1e-4f;
    private static final int GREEDY = 16;

    /** Every part that the package trains, small: top-K, a gated MLP, PEER with norms, and a float head of its own. */
    private static final String CONFIG = """
            {
              "model_type": "ternary", "format_version": 1, "vocab_size": 320, "hidden_size": 64, "num_hidden_layers": 2,
              "rms_norm_eps": 1e-6, "max_position_embeddings": 512, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": null,
              "tie_word_embeddings": false, "linear": {"input_norm": true, "norm_eps": 1e-6},
              "quantization": {"linear": "online", "experts": "online", "lm_head": "float"},
              "sparsity": {"kind": "topk", "ratio": 0.6},
              "layers": [
                {
                  "mixer": {"kind": "mlgru", "num_heads": 1, "expand_ratio": 1, "lower_bound": true, "conv": null},
                  "channel": {"kind": "glu", "intermediate_size": 96, "activation": "silu"}
                },
                {
                  "mixer": {"kind": "mlgru", "num_heads": 1, "expand_ratio": 1, "lower_bound": true, "conv": null},
                  "channel": {
                    "kind": "peer", "num_experts": 64, "num_heads": 2, "top_k": 4, "key_dim": 8,
                    "activation": "gelu", "score": "softmax", "query_norm": "layer", "shared_keys": true
                  }
                }
              ]
            }
            """;

    private PythonReference python;

    @BeforeEach
    void find() throws Exception {
        python = PythonReference.find();
    }

    /** The prompt of the golden files keeps clear of activations that lie halfway between two codes. */
    @Test
    void theShippedModelHasTheLogitsAndTheGreedyTokensThatPythonComputesNow() throws Exception {
        int[] prompt = GoldenData.integers(GoldenData.directory("setun-fairy"), "input_ids");
        String ids = Arrays.stream(prompt).mapToObj(String::valueOf).collect(Collectors.joining(","));

        JsonNode computed = JsonMapper.shared()
                .readTree(python.run(Command.of("logits", SHIPPED, "--ids", ids, "--greedy", GREEDY)));

        try (Model model = load(SHIPPED);
                Arena arena = Arena.ofShared()) {
            SequenceState state = SequenceState.allocate(model.stateLayout(), prompt.length + GREEDY, arena);
            Workspace workspace = model.newWorkspace(prompt.length, prompt.length);
            model.forward(Batch.of(new Chunk(state, 0, prompt, Chunk.Wanted.ALL)), workspace);
            int vocabSize = model.dimensions().vocabSize();
            assertThat(computed.get("logits")).hasSize(prompt.length);
            for (int row = 0; row < prompt.length; row++) {
                JsonNode expected = computed.get("logits").get(row);
                assertThat(expected).hasSize(vocabSize);
                for (int id = 0; id < vocabSize; id++) {
                    float logit = workspace.logits()[workspace.logitsOffset(row) + id];
                    assertThat(Math.abs(logit - expected.get(id).floatValue()))
                            .as("logit %d of position %d", id, row)
                            .isLessThan(TOLERANCE);
                }
            }
            int last = workspace.logitsOffset(prompt.length - 1);
            assertThat(GoldenModelTest.greedy(model, state, prompt.length, workspace, last))
                    .isEqualTo(computed.get("greedy")
                            .valueStream()
                            .mapToInt(JsonNode::intValue)
                            .toArray());
        }
    }

    /** From a text to a tokenizer, a few training steps, a packed checkpoint, and its numbers as another must find them. */
    @Test
    void aModelTrainedAndExportedByPythonComputesTheSameHere(@TempDir Path directory) throws Exception {
        Path text = Path.of("src/test/resources/golden/setun-fairy/perplexity.txt");
        Path training = directory.resolve("train.txt");
        Files.writeString(training, (Files.readString(text) + "\n").repeat(40).replace("\n\n\n", "\n"));
        Path config = Files.writeString(directory.resolve("config.json"), CONFIG);
        Path tokenizer = directory.resolve("tokenizer");
        Path run = directory.resolve("run");
        Path export = directory.resolve("export");
        Path expected = directory.resolve("expected");

        python.run(
                Command.of("tokenizer", "--text", training, "--output", tokenizer, "--vocab-size", 320),
                Command.of(
                        "train",
                        "--train",
                        training,
                        "--validation",
                        text,
                        "--tokenizer",
                        tokenizer,
                        "--output",
                        run,
                        "--config",
                        config,
                        "--steps",
                        12,
                        "--warmup",
                        2,
                        "--rows",
                        4,
                        "--length",
                        32,
                        "--threads",
                        1,
                        "--no-compile"),
                Command.of("export", "--run", run.resolve("last.pt"), "--tokenizer", tokenizer, "--output", export),
                Command.of("golden", export, "--text", text, "--output", expected, "--length", 6, "--prompts", 8));

        for (String kernels : new String[] {"scalar", "auto"}) {
            GoldenModelTest.assertReproduces(expected, export, kernels, 2);
        }
    }

    private static Model load(Path path) throws Exception {
        return ModelLoader.load(
                        path, KernelSelection.select("auto", 2), LoadOptions.of(KeyValueFormat.F32), LoadProgress.NONE)
                .model();
    }
}
