package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.setun.kernel.KernelSelection;
import org.setun.model.KeyValueFormat;

/** What a model computes has a name of its own. */
final class CheckpointDigestTest {

    private static final LoadOptions OPTIONS = LoadOptions.of(KeyValueFormat.F32);

    @TempDir
    private Path temporary;

    @Test
    void aCheckpointHasTheSameDigestWhoeverReadsIt() throws Exception {
        Path directory = GoldenData.directory("mmfree-tiny/bf16");

        String digest = digest(directory, "scalar", 1, OPTIONS);

        assertThat(digest).matches("[0-9a-f]{64}");
        assertThat(digest(directory, "auto", 3, OPTIONS)).isEqualTo(digest);
        assertThat(digest(copy(directory).write(temporary.resolve("copy")), "auto", 2, OPTIONS))
                .isEqualTo(digest);
        // Which depends on nothing that another process may have otherwise.
        try (OpenCheckpoint checkpoint = OpenCheckpoint.open(directory)) {
            assertThat(checkpoint.recipe().spec().toString()).contains("Mlgru").doesNotContain("@");
        }
    }

    @Test
    void everyWeightAndEverySettingCounts() throws Exception {
        Path directory = GoldenData.directory("mmfree-tiny/bf16");
        String digest = digest(directory, "scalar", 2, OPTIONS);

        TestCheckpoint otherWeight = copy(directory);
        byte[] bytes = otherWeight.tensors.values().iterator().next().bytes();
        bytes[bytes.length - 1] ^= 1;
        assertThat(digest(otherWeight.write(temporary.resolve("weight")), "scalar", 2, OPTIONS))
                .isNotEqualTo(digest);

        TestCheckpoint otherSetting = copy(directory);
        otherSetting.config.put("rms_norm_eps", 1.5e-6);
        assertThat(digest(otherSetting.write(temporary.resolve("setting")), "scalar", 2, OPTIONS))
                .isNotEqualTo(digest);
    }

    @Test
    void ownSparsityCounts() throws Exception {
        Path directory = GoldenData.directory("composed-tiny/glu-topk");
        LoadOptions dense = new LoadOptions(KeyValueFormat.F32, OptionalDouble.empty(), HeadMode.AUTO, false);

        assertThat(digest(directory, "scalar", 1, dense)).isNotEqualTo(digest(directory, "scalar", 1, OPTIONS));
    }

    @Test
    void nobodyPaysForItWhoDoesNotAsk() throws Exception {
        LoadedModel loaded = ModelLoader.load(
                GoldenData.directory("mmfree-tiny/bf16"),
                KernelSelection.select("scalar", 1),
                OPTIONS,
                LoadProgress.NONE);
        loaded.model().close();

        assertThat(loaded.digest()).isEmpty();
    }

    private static TestCheckpoint copy(Path directory) throws Exception {
        return TestCheckpoint.read(directory);
    }

    private static String digest(Path path, String kernel, int threads, LoadOptions options) throws Exception {
        LoadedModel loaded =
                ModelLoader.loadNamed(path, KernelSelection.select(kernel, threads), options, LoadProgress.NONE);
        loaded.model().close();
        return loaded.digest().orElseThrow();
    }
}
