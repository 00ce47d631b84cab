package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.model.KeyValueFormat;

/**
 * Damages valid checkpoints of every family at random, configuration and tensors: each is inspected and loaded, or refused in a
 * sentence, and nothing else happens.
 */
final class DamagedCheckpointTest {

    // Another seed: ./mvnw test -Dtest=DamagedCheckpointTest -Dsetun.test.seed=N -Dsetun.test.mutations=N
    private static final long SEED = Long.getLong("setun.test.seed", 1958);
    private static final int MUTATIONS = Integer.getInteger("setun.test.mutations", 150);

    private static final Pattern JSON_VALUE =
            Pattern.compile("(?<=: ?)(-?\\d[\\d.eE+-]*|true|false|null|\"[^\"]*\")|(?<=[\\[ ])\"[^\"]*\"(?=[,\\s\\]])");

    private static final List<String> VALUES = List.of(
            "0",
            "-1",
            "1",
            "3",
            "7",
            "64",
            "1e9",
            "2147483647",
            "99999999999",
            "0.5",
            "null",
            "true",
            "\"x\"",
            "[]",
            "{}");

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mmfree-tiny/bf16",
                "bitnet-tiny-online/bf16",
                "bitnet-tiny-packed/model-i2_s.gguf",
                "bitnet-tiny-packed/model-tq1_0.gguf",
                "llama-bitnet-tiny/packed-mixed",
                "composed-tiny/glu-topk",
                "composed-tiny/peer-block-topk"
            })
    void aDamagedCheckpointLoadsOrIsRefused(String name) throws Exception {
        Random random = new Random(SEED);
        Path source = GoldenData.path(name);
        boolean gguf = Files.isRegularFile(source);
        byte[] tensors = Files.readAllBytes(gguf ? source : source.resolve("model.safetensors"));
        String config = gguf ? "" : Files.readString(source.resolve("config.json"));
        Path file = temporary.resolve(gguf ? "model.gguf" : "model.safetensors");
        Path path = gguf ? file : temporary;
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            boolean ofConfig = !gguf && random.nextBoolean();
            Files.write(file, ofConfig ? tensors : mutated(tensors, random));
            Files.writeString(temporary.resolve("config.json"), ofConfig ? mutated(config, random) : config);
            try {
                refused += isRefused(path) ? 1 : 0;
            } catch (RuntimeException | Error e) {
                throw new AssertionError(name + ", seed " + SEED + ", mutation " + i, e);
            }
        }
        assertThat(refused).as("refused of %d, seed %d", MUTATIONS, SEED).isGreaterThan(MUTATIONS / 10);
    }

    private static boolean isRefused(Path path) throws Exception {
        Kernels kernels = KernelSelection.select("scalar", 1);
        try {
            boolean obstacle = ModelInspector.inspect(path, KernelSelection.layout(), LoadProgress.NONE)
                    .obstacle()
                    .isPresent();
            LoadOptions options = LoadOptions.of(KeyValueFormat.F32);
            ModelLoader.load(path, kernels, options, LoadProgress.NONE).model().close();
            assertThat(obstacle).as("what loads has no obstacle").isFalse();
            return false;
        } catch (CheckpointFormatException e) {
            assertThat(e).hasMessageContaining(": ");
            return true;
        } finally {
            kernels.workers().close();
        }
    }

    /** Changes a value of a JSON document. */
    private static String mutated(String json, Random random) {
        List<MatchResult> values = JSON_VALUE.matcher(json).results().toList();
        MatchResult value = values.get(random.nextInt(values.size()));
        String other = VALUES.get(random.nextInt(VALUES.size()));
        return json.substring(0, value.start()) + other + json.substring(value.end());
    }

    /** Changes bytes, most of them in the header, where they say the most. */
    private static byte[] mutated(byte[] bytes, Random random) {
        int length = random.nextInt(20) == 0 ? random.nextInt(bytes.length) : bytes.length;
        byte[] changed = Arrays.copyOf(bytes, length);
        int header = Math.min(changed.length, 4096);
        for (int edit = random.nextInt(3); edit >= 0 && header > 0; edit--) {
            int at = random.nextInt(random.nextInt(4) == 0 ? changed.length : header);
            changed[at] =
                    random.nextBoolean() ? (byte) random.nextInt() : (byte) (changed[at] ^ 1 << random.nextInt(8));
        }
        return changed;
    }
}
