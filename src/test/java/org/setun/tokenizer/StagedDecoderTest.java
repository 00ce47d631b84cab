package org.setun.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class StagedDecoderTest {

    /** Chosen anew each run; rerun one with {@code ./mvnw test -Dtest=StagedDecoderTest -Dsetun.seed=…}. */
    private static final long SEED = Long.getLong("setun.seed", System.nanoTime());

    private static final int SEQUENCES = 2_000;

    @ParameterizedTest
    @MethodSource("org.setun.tokenizer.Golden#tokenizers")
    void chunksOfRandomIdsJoinToTheWholeAndNeverEndInsideACharacter(String name) throws Exception {
        Random random = new Random(SEED);
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory(name))) {
            for (int i = 0; i < SEQUENCES; i++) {
                int[] ids = randomIds(random, 0, tokenizer.vocabSize());
                boolean skip = random.nextBoolean();
                IncrementalDecoder decoder = tokenizer.decoder(skip);
                StringBuilder text = new StringBuilder();
                for (int id : ids) {
                    String chunk = decoder.append(id);
                    assertThat(hasLoneSurrogate(chunk)).as("seed %d", SEED).isFalse();
                    text.append(chunk);
                }
                text.append(decoder.flush());
                assertThat(text.toString())
                        .as("seed %d, ids %s", SEED, Arrays.toString(ids))
                        .isEqualTo(tokenizer.decode(ids, skip));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"byte-level-gpt2", "byte-level-llama3"})
    void randomIdsDecodeAsInTheNativeLibrary(String name) throws Exception {
        assertDecodesAsTheNativeLibrary(name, 0);
    }

    /** Above the byte tokens, whose broken runs are the one known difference. */
    @ParameterizedTest
    @ValueSource(strings = {"metaspace-llama2", "metaspace-mistral"})
    void randomIdsOfWholeCharactersDecodeAsInTheNativeLibrary(String name) throws Exception {
        assertDecodesAsTheNativeLibrary(name, 259);
    }

    private static void assertDecodesAsTheNativeLibrary(String name, int lowestId) throws Exception {
        Random random = new Random(SEED);
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory(name));
                HuggingFaceTokenizer library =
                        NativeTokenizers.open(Golden.directory(name).resolve("tokenizer.json"))) {
            for (int i = 0; i < SEQUENCES; i++) {
                int[] ids = randomIds(random, lowestId, tokenizer.vocabSize());
                boolean skip = random.nextBoolean();
                assertThat(tokenizer.decode(ids, skip))
                        .as("seed %d, ids %s", SEED, Arrays.toString(ids))
                        .isEqualTo(
                                library.decode(Arrays.stream(ids).asLongStream().toArray(), skip));
            }
        }
    }

    private static int[] randomIds(Random random, int lowest, int bound) {
        return random.ints(random.nextInt(24), lowest, bound).toArray();
    }

    private static boolean hasLoneSurrogate(String text) {
        return text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    @Test
    void aByteThatBreaksARunSpoilsAllOfItThatWasNotSent() {
        Vocabulary.Builder bytes = new Vocabulary.Builder();
        IntStream.range(0, 256).forEach(value -> bytes.add("<0x%02X>".formatted(value), value, false));
        bytes.add("a", 256, false);
        StagedDecoder decoder = new StagedDecoder(bytes.build(), List.of(new DecoderStage.ByteFallback()), false);

        assertThat(decoder.append(0xC3)).isEmpty();
        assertThat(decoder.append(0xA9)).isEqualTo("é");
        assertThat(decoder.append(0x40)).isEmpty();
        assertThat(decoder.append(0xE2)).isEmpty();
        assertThat(decoder.append(0x82)).isEmpty();
        assertThat(decoder.append(0x41)).isEqualTo("\uFFFD\uFFFD\uFFFD\uFFFD");
        assertThat(decoder.append(0x42)).isEqualTo("\uFFFD");
        assertThat(decoder.append(256)).isEqualTo("a");
        assertThat(decoder.append(0x42)).isEmpty();
        assertThat(decoder.append(256)).isEqualTo("Ba");
        assertThat(decoder.append(0x43)).isEmpty();
        assertThat(decoder.append(0xE2)).isEmpty();
        assertThat(decoder.flush()).isEqualTo("\uFFFD\uFFFD");
    }

    @Test
    void aTokenOfTheFirstPieceLosesItsMetaspaceOnly() {
        Vocabulary.Builder tokens = new Vocabulary.Builder();
        tokens.add("\u2581a", 0, false);
        tokens.add("<s>", 1, true);
        StagedDecoder decoder =
                new StagedDecoder(tokens.build(), List.of(new DecoderStage.Metaspace("\u2581", true)), true);

        assertThat(decoder.append(1)).isEmpty();
        assertThat(decoder.append(0)).isEqualTo("a");
        assertThat(decoder.append(0)).isEqualTo(" a");
    }

    @Test
    void idsOutsideTheVocabularyAreRefused() throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory("byte-level-gpt2"))) {
            for (int id : new int[] {-1, 1024, Integer.MAX_VALUE}) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> tokenizer.decode(new int[] {id}, false))
                        .withMessage("token id " + id + " is not in the tokenizer's vocabulary of 1024");
            }
        }
    }

    @Test
    void aFlushedDecoderTakesNothingMore() throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory("byte-level-gpt2"))) {
            IncrementalDecoder decoder = tokenizer.decoder(true);
            decoder.flush();
            assertThatIllegalStateException().isThrownBy(() -> decoder.append(1));
        }
    }
}
