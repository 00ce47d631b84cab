package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.setun.checkpoint.SafetensorsWriter;
import org.setun.checkpoint.SafetensorsWriter.Declaration;
import org.setun.checkpoint.TernaryPacking;
import org.setun.kernel.KernelSelection;
import org.setun.model.KeyValueFormat;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;
import org.setun.tensor.TernaryLayout;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Checks that loading and converting hold rows of a tensor, never a tensor: in a JVM whose heap is smaller than one. */
final class SmallHeapTest {

    private static final int VOCAB_SIZE = 1 << 16;
    private static final int HIDDEN_SIZE = 512;

    private static final String LAYER = "model.layers.0.";

    @TempDir
    private Path temporary;

    @Test
    void aHeapSmallerThanOneTensorIsEnough() throws Exception {
        Path source = temporary.resolve("source");
        writeCheckpoint(source);
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx32m",
                        "--add-modules=jdk.incubator.vector",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        LoadAndConvert.class.getName(),
                        source.toString(),
                        temporary.resolve("converted").toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(output.lines().reduce((a, b) -> b)).contains(expectedOutput());
        assertThat(process.exitValue()).isZero();
    }

    /** Every matrix packed but for the embedding, which stays in its file, and the norms. */
    private static String expectedOutput() {
        TernaryLayout cells = new TernaryLayout.Cells();
        long packed = cells.packedBytes(VOCAB_SIZE, HIDDEN_SIZE) + 7 * cells.packedBytes(HIDDEN_SIZE, HIDDEN_SIZE);
        long values = 11L * HIDDEN_SIZE * Float.BYTES;
        return "loaded " + (packed + values) + " bytes";
    }

    /** Writes a model of one layer, all weights zero. */
    private static void writeCheckpoint(Path directory) throws Exception {
        ObjectNode config = JsonMapper.shared()
                .createObjectNode()
                .put("model_type", "hgrn_bit")
                .put("vocab_size", VOCAB_SIZE)
                .put("hidden_size", HIDDEN_SIZE)
                .put("intermediate_size", HIDDEN_SIZE)
                .put("num_hidden_layers", 1)
                .put("use_lower_bound", false);
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), config.toString());
        List<Declaration> declarations = new ArrayList<>();
        add(declarations, "model.embeddings.weight", VOCAB_SIZE);
        for (String linear : List.of("attn.i_proj", "attn.f_proj", "attn.g_proj", "attn.o_proj", "mlp.down_proj")) {
            addWithNorm(declarations, LAYER + linear, HIDDEN_SIZE);
        }
        addWithNorm(declarations, LAYER + "mlp.gate_proj", 2 * HIDDEN_SIZE);
        addWithNorm(declarations, "lm_head", VOCAB_SIZE);
        for (String norm : List.of(LAYER + "attn_norm", LAYER + "attn.g_norm", LAYER + "mlp_norm", "model.norm")) {
            add(declarations, norm + ".weight");
        }
        byte[] zeros = new byte[2 * HIDDEN_SIZE];
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(directory.resolve("model.safetensors"), declarations, Map.of())) {
            for (Declaration declaration : declarations) {
                for (long written = 0; written < declaration.bytes(); written += zeros.length) {
                    writer.write(declaration.name(), zeros);
                }
            }
            writer.finish();
        }
    }

    private static void addWithNorm(List<Declaration> declarations, String linear, int rows) {
        add(declarations, linear + ".weight", rows);
        add(declarations, linear + ".norm.weight");
    }

    private static void add(List<Declaration> declarations, String name, long... rows) {
        Shape shape = rows.length == 0 ? Shape.of(HIDDEN_SIZE) : Shape.of(rows[0], HIDDEN_SIZE);
        declarations.add(new Declaration(name, ElementType.BF16, shape));
    }

    /** What the small JVM runs. */
    static final class LoadAndConvert {

        private LoadAndConvert() {}

        public static void main(String[] arguments) throws Exception {
            Path source = Path.of(arguments[0]);
            CheckpointConverter.convert(
                    source,
                    Path.of(arguments[1]),
                    new ConvertOptions(TernaryPacking.U2_ROWS, ElementType.F16),
                    LoadProgress.NONE);
            LoadedModel loaded = ModelLoader.load(
                    source, KernelSelection.select("scalar", 2), LoadOptions.of(KeyValueFormat.F32), LoadProgress.NONE);
            loaded.model().close();
            System.out.println("loaded " + loaded.report().loadedBytes() + " bytes");
        }
    }
}
