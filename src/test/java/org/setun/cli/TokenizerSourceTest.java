package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.tokenizer.GoldenChecks;
import org.setun.tokenizer.Tokenizer;
import org.setun.tokenizer.TokenizerFormatException;
import picocli.CommandLine;

final class TokenizerSourceTest {

    private static final Path GOLDEN = Path.of("src/test/resources/golden");
    private static final Path PACKED = GOLDEN.resolve("bitnet-tiny-packed");
    private static final String NAME = "byte-level-llama3";

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"i2_s", "tq1_0", "tq2_0"})
    void theTokenizerInAGgufFileIsTheModelsOwn(String type) throws Exception {
        try (Tokenizer tokenizer = TokenizerSource.open(copyGguf(type))) {
            GoldenChecks.check(tokenizer, NAME);
            assertThat(tokenizer.bosId()).hasValue(504);
            assertThat(tokenizer.eosId()).hasValue(505);
            assertThat(tokenizer.stopIds()).containsExactlyInAnyOrder(505, 506);
            assertThat(tokenizer.vocabSize()).isEqualTo(512);
        }
    }

    @Test
    void aDirectoryWithOneGgufModelHasItsTokenizer() throws Exception {
        copyGguf("tq2_0");
        try (Tokenizer tokenizer = TokenizerSource.open(directory)) {
            GoldenChecks.check(tokenizer, NAME);
        }
    }

    @Test
    void aConvertedModelHasTheTokenizerOfItsGgufFile() throws Exception {
        Path gguf = copyGguf("tq2_0");
        Path target = directory.resolve("converted");
        StringWriter err = new StringWriter();
        CommandLine convert = new CommandLine(new ConvertCommand());
        convert.setCaseInsensitiveEnumValuesAllowed(true).setErr(new PrintWriter(err));
        assertThat(convert.execute(gguf.toString(), target.toString()))
                .as("%s", err)
                .isZero();

        assertThat(TokenizerSource.embeddedFiles(target)).isEmpty();
        try (Tokenizer tokenizer = Tokenizer.load(target)) {
            GoldenChecks.check(tokenizer, NAME);
            assertThat(tokenizer.stopIds()).containsExactlyInAnyOrder(505, 506);
        }
    }

    @Test
    void aTokenizerBesideTheFileCounts() throws Exception {
        Path gguf = copyGguf("tq2_0");
        Files.copy(GOLDEN.resolve("tokenizer/metaspace-llama2/tokenizer.json"), directory.resolve("tokenizer.json"));
        try (Tokenizer tokenizer = TokenizerSource.open(gguf)) {
            assertThat(tokenizer.vocabSize()).isEqualTo(1024);
        }
    }

    @Test
    void aGgufFileWithoutAVocabularyNeedsATokenizerBesideIt() throws Exception {
        Path gguf = directory.resolve("model.gguf");
        ByteBuffer header = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(gguf, header.putInt(0x46554747).putInt(3).array());
        assertNoTokenizer(gguf);
        assertThat(TokenizerSource.embeddedFiles(gguf)).isEmpty();
    }

    @Test
    void whatIsNoGgufModelNeedsATokenizerBesideIt() throws Exception {
        assertNoTokenizer(directory);
        assertNoTokenizer(directory.resolve("missing"));
        Path safetensors = directory.resolve("model.safetensors");
        Files.copy(PACKED.resolve("model.safetensors"), safetensors);
        assertNoTokenizer(safetensors);
        assertNoTokenizer(directory);
    }

    private static void assertNoTokenizer(Path checkpoint) {
        assertThatExceptionOfType(TokenizerFormatException.class)
                .isThrownBy(() -> TokenizerSource.open(checkpoint))
                .withMessageContaining("tokenizer.json: expected the checkpoint's tokenizer, found no such file");
    }

    @Test
    void aDamagedGgufFileIsNamed() throws Exception {
        Path gguf = Files.writeString(directory.resolve("model.gguf"), "GGUF");
        assertThatExceptionOfType(CheckpointFormatException.class)
                .isThrownBy(() -> TokenizerSource.open(gguf))
                .withMessageContaining("model.gguf");
    }

    /** Puts a model where no tokenizer lies beside it. */
    private Path copyGguf(String type) throws Exception {
        return Files.copy(PACKED.resolve("model-" + type + ".gguf"), directory.resolve("model.gguf"));
    }
}
