package org.setun.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

final class GgufTokenizerTest {

    private static final String REMEDY = "; put the tokenizer.json that was published with the model beside the file";

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({
        "byte-level-llama3, llama-bpe",
        "byte-level-llama3, llama3",
        "byte-level-llama3, llama-v3",
        "byte-level-llama3,",
        "byte-level-llama3, ''",
        "byte-level-gpt2, gpt-2",
        "byte-level-gpt2, default",
        "metaspace-llama2, default",
        "metaspace-llama2,",
    })
    void aVocabularyMeansWhatTheModelsOwnFilesMean(String name, String pre) throws Exception {
        try (Tokenizer tokenizer =
                Tokenizer.load(VocabularyBuilder.golden(name).pre(pre).build())) {
            GoldenChecks.check(tokenizer, name);
        }
    }

    /**
     * A GGUF file cannot say that only the beginning of a text gets a space before it, and only where it has none: like
     * llama.cpp, Setun then puts one before each part of a text between special tokens. All four chats have such parts.
     */
    @Test
    void aVocabularyThatLeavesOutWhereSpacesGoMeansTheSameElsewhere() throws Exception {
        Set<String> otherSpaces = Golden.expected("metaspace-mistral")
                .get("cases")
                .valueStream()
                .map(expected -> expected.get("text").asString())
                .filter(text -> text.matches("(?s)[ \u2581].*|.*(<s>|</s>|<unk>).+"))
                .collect(Collectors.toSet());
        assertThat(otherSpaces).hasSize(13).contains(" leading", "a<s>b</s>c", "\u2581");
        try (Tokenizer tokenizer =
                Tokenizer.load(VocabularyBuilder.golden("metaspace-mistral").build())) {
            GoldenChecks.checkTexts(tokenizer, "metaspace-mistral", otherSpaces);
            GoldenChecks.checkStreams(tokenizer, "metaspace-mistral");
        }
    }

    @ParameterizedTest
    @MethodSource("org.setun.tokenizer.Golden#tokenizers")
    void theFilesOfAVocabularyAreTheSameTokenizer(String name) throws Exception {
        String pre = name.equals("byte-level-gpt2") ? "gpt-2" : "llama-bpe";
        GgufVocabulary vocabulary = VocabularyBuilder.golden(name)
                .pre(pre)
                .role("eot", 5)
                .addEos(true)
                .build();
        for (Map.Entry<String, byte[]> file :
                TokenizerFiles.of(vocabulary).byName().entrySet()) {
            Files.write(directory.resolve(file.getKey()), file.getValue());
        }
        try (Tokenizer embedded = Tokenizer.load(vocabulary);
                Tokenizer written = Tokenizer.load(directory)) {
            assertThat(written.bosId()).isEqualTo(embedded.bosId()).isPresent();
            assertThat(written.eosId()).isEqualTo(embedded.eosId()).isPresent();
            assertThat(written.stopIds()).isEqualTo(embedded.stopIds()).contains(5);
            assertThat(written.vocabSize()).isEqualTo(embedded.vocabSize());
            Golden.expected(name).get("cases").forEach(expected -> {
                String text = expected.get("text").asString();
                int[] ids = embedded.encode(text, true);
                assertThat(ids).endsWith(embedded.eosId().orElseThrow());
                assertThat(written.encode(text, true)).containsExactly(ids);
                assertThat(written.decode(ids, false)).isEqualTo(embedded.decode(ids, false));
            });
            Golden.expected(name)
                    .get("chat")
                    .forEach(expected -> assertThat(chat(written, expected)).isEqualTo(chat(embedded, expected)));
        }
    }

    private static String chat(Tokenizer tokenizer, JsonNode expected) {
        try {
            return tokenizer.renderChat(Golden.messages(expected.get("messages")));
        } catch (ChatTemplateException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "llama-bpe; 123|4|5|'|R|E|X|HelloWorld|xyz",
                "llama-v3; 123|4|5|'|R|E|X|HelloWorld|xyz",
                "falcon3; 123|4|5|'|R|E|X|HelloWorld|xyz",
                "falcon_e; 123|4|5|'|R|E|X|HelloWorld|xyz",
                "smaug-bpe; 123|4|5|'|R|E|X|HelloWorld|x|y|z",
                "qwen2; 1|2|3|4|5|'|R|E|X|HelloWorld|x|y|z",
                "tekken; 1|2|3|4|5|'|R|EX|Hello|W|o|r|l|d|xyz",
                "gpt-2; 1234|5|'|R|EX|HelloWorld|x|y|z",
                "default; 1234|5|'|R|EX|HelloWorld|x|y|z",
                "smollm; 1|2|3|4|5|'|R|EX|HelloWorld|x|y|z",
                "starcoder; 1|2|3|4|5|'|R|EX|HelloWorld|x|y|z",
            })
    void textIsSplitByTheRuleThatTheFileNames(String pre, String expected) throws Exception {
        VocabularyBuilder builder =
                VocabularyBuilder.byteLevel(pre, "1234", "HelloWorld", "EX").add("xyz", 1);
        try (Tokenizer tokenizer = Tokenizer.load(builder.build())) {
            assertThat(pieces(tokenizer, "12345'REXHelloWorld") + "|" + pieces(tokenizer, "xyz"))
                    .isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"qwen2, \u00e9", "llama-bpe, e\u0301"})
    void accentsAreJoinedToTheirLettersWhereTheModelWasTrainedSo(String pre, String text) throws Exception {
        try (Tokenizer tokenizer =
                Tokenizer.load(VocabularyBuilder.byteLevel(pre).build())) {
            assertThat(tokenizer.decode(tokenizer.encode("e\u0301", false), false))
                    .isEqualTo(text);
        }
    }

    /** Returns the tokens of a text, a bar between them. */
    private static String pieces(Tokenizer tokenizer, String text) {
        return Arrays.stream(tokenizer.encode(text, false))
                .mapToObj(id -> tokenizer.decode(new int[] {id}, false))
                .collect(Collectors.joining("|"));
    }

    @Test
    void piecesMergeByTheirScoresAndWhatIsNoPieceFallsToBytes() throws Exception {
        VocabularyBuilder builder = VocabularyBuilder.scored("\u2581", "a", "b", "c")
                .add("bc", 1, 5)
                .add("ab", 1, 7);
        int a = builder.tokens.indexOf("a");
        int ab = builder.tokens.indexOf("ab");
        int bc = builder.tokens.indexOf("bc");
        try (Tokenizer tokenizer = Tokenizer.load(builder.addSpacePrefix(false).build())) {
            assertThat(tokenizer.encode("abc", true)).containsExactly(1, ab, a + 2);
            assertThat(tokenizer.encode("cbcab", false)).containsExactly(a + 2, bc, ab);
            assertThat(tokenizer.encode("aé", false)).containsExactly(a, 3 + 0xC3, 3 + 0xA9);
            assertThat(tokenizer.encode(" a", false)).containsExactly(a - 1, a);
            assertThat(tokenizer.decode(new int[] {a - 1, a}, false)).isEqualTo(" a");
        }
        builder.scores.set(bc, 9f);
        try (Tokenizer tokenizer = Tokenizer.load(builder.build())) {
            assertThat(tokenizer.encode("abc", false)).containsExactly(a, bc);
        }
    }

    /** Pieces made of themselves: the leftmost pair of equal pieces comes first. */
    @Test
    void ofEqualPairsTheLeftmostMerges() throws Exception {
        VocabularyBuilder builder =
                VocabularyBuilder.scored("\u2581", "a", "aa", "aaa").addSpacePrefix(false);
        int a = builder.tokens.indexOf("a");
        try (Tokenizer tokenizer = Tokenizer.load(builder.build())) {
            assertThat(tokenizer.encode("aaa", false)).containsExactly(a + 2);
            assertThat(tokenizer.encode("aaaaa", false)).containsExactly(a + 1, a + 2);
        }
    }

    @Test
    void withoutBytesACharacterThatIsNoPieceIsUnknown() throws Exception {
        VocabularyBuilder builder = new VocabularyBuilder("llama")
                .add("<unk>", VocabularyBuilder.UNKNOWN)
                .add("\u2581a", 1)
                .add("a", 1);
        try (Tokenizer tokenizer = Tokenizer.load(builder.addSpacePrefix(false).build())) {
            assertThat(tokenizer.encode("aéa", true)).containsExactly(2, 0, 2);
            assertThat(tokenizer.bosId()).isEmpty();
        }
        assertFails(
                new VocabularyBuilder("llama").add("a", 1),
                "tokens: expected an unknown token or one for each byte, found no <0x00>");
    }

    @Test
    void tokensAreFoundInTextByTheirTypes() throws Exception {
        VocabularyBuilder builder = VocabularyBuilder.byteLevel("llama-bpe")
                .add("<|control|>", VocabularyBuilder.CONTROL)
                .add("<|user|>", VocabularyBuilder.USER_DEFINED)
                .add("<|unused|>", VocabularyBuilder.UNUSED)
                .add("[PAD259]", VocabularyBuilder.USER_DEFINED)
                .add("", VocabularyBuilder.CONTROL)
                .add("", VocabularyBuilder.NORMAL);
        try (Tokenizer tokenizer = Tokenizer.load(builder.build())) {
            assertThat(tokenizer.encode("<|control|><|user|>", false)).containsExactly(256, 257);
            assertThat(tokenizer.encode("<|unused|>[PAD259]", false)).hasSize(18);
            assertThat(tokenizer.decode(new int[] {256, 257, 258, 259, 260, 261}, true))
                    .isEqualTo("<|user|><|unused|>[PAD259]");
            assertThat(tokenizer.vocabSize()).isEqualTo(262);
        }
    }

    @Test
    void tokensOfARoleAreSpecialEvenWhereNoTypesAreGiven() throws Exception {
        VocabularyBuilder builder = VocabularyBuilder.byteLevel("llama-bpe")
                .add("<|end|>", 1)
                .role("bos", 0)
                .role("eos", 256)
                .untyped();
        try (Tokenizer tokenizer = Tokenizer.load(builder.build())) {
            assertThat(tokenizer.encode("!<|end|>", true)).containsExactly(0, 0, 256);
            assertThat(tokenizer.decode(new int[] {0, 256}, true)).isEqualTo("!");
        }
    }

    @Test
    void everyIdOfATextDecodesAndOneEncodes() throws Exception {
        VocabularyBuilder builder = VocabularyBuilder.byteLevel("gpt-2", "ab")
                .add("ab", VocabularyBuilder.UNUSED)
                .add("<|x|>", VocabularyBuilder.CONTROL)
                .add("<|x|>", VocabularyBuilder.CONTROL)
                .add("<|x|>", VocabularyBuilder.CONTROL)
                .role("eos", 259);
        try (Tokenizer tokenizer = Tokenizer.load(builder.build())) {
            assertThat(tokenizer.encode("ab<|x|>", false)).containsExactly(256, 259);
            assertThat(tokenizer.decode(IntStream.range(256, 261).toArray(), false))
                    .isEqualTo("abab<|x|><|x|><|x|>");
            assertThat(tokenizer.decode(IntStream.range(256, 261).toArray(), true))
                    .isEqualTo("abab");
            assertThat(tokenizer.eosId()).hasValue(259);
        }
    }

    @ParameterizedTest
    @CsvSource({"llama-bpe, true", "tekken, true", "smaug-bpe, false", "gpt-2, false", "qwen2, false"})
    void whereTheFileDoesNotSayTheRuleDecidesAboutBos(String pre, boolean added) throws Exception {
        VocabularyBuilder builder =
                VocabularyBuilder.byteLevel(pre).add("<|bos|>", 3).role("bos", 256);
        try (Tokenizer tokenizer = Tokenizer.load(builder.build())) {
            assertThat(tokenizer.encode("a", true)).hasSize(added ? 2 : 1);
        }
        try (Tokenizer tokenizer = Tokenizer.load(builder.addBos(!added).build())) {
            assertThat(tokenizer.encode("a", true)).hasSize(added ? 1 : 2);
        }
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void oneTokenMayBothBeginAndEndText(boolean addBos, boolean addEos) throws Exception {
        VocabularyBuilder builder = VocabularyBuilder.byteLevel("gpt-2")
                .add("<|endoftext|>", VocabularyBuilder.CONTROL)
                .role("bos", 256)
                .role("eos", 256)
                .addBos(addBos)
                .addEos(addEos);
        try (Tokenizer tokenizer = Tokenizer.load(builder.build())) {
            assertThat(tokenizer.encode("a", true)).hasSize(1 + (addBos ? 1 : 0) + (addEos ? 1 : 0));
        }
    }

    @Test
    void eosAndEotAndTheEndOfALlama3TurnStop() throws Exception {
        VocabularyBuilder builder = VocabularyBuilder.byteLevel("llama-bpe")
                .add("<|end_of_text|>", 3)
                .add("<|im_end|>", 3)
                .add("<|eot_id|>", 3)
                .role("eos", 256)
                .role("eot", 257);
        try (Tokenizer tokenizer = Tokenizer.load(builder.build())) {
            assertThat(tokenizer.stopIds()).containsExactlyInAnyOrder(256, 257, 258);
        }
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory("byte-level-llama3"))) {
            assertThat(tokenizer.stopIds()).containsExactlyInAnyOrder(505, 506);
        }
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory("metaspace-llama2"))) {
            assertThat(tokenizer.stopIds()).containsExactly(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert", "t5", "rwkv", "none", "replit\u0000\n"})
    void anUnknownModelIsNamedWithTheKnownOnes(String model) {
        assertFails(
                new VocabularyBuilder(model).add("a", 1),
                "model: expected gpt2 (byte-level BPE) or llama (pieces with scores), found '"
                        + model.replaceAll("\\p{Cntrl}", "?") + "'");
    }

    @Test
    void anUnknownSplitRuleIsNamedWithTheKnownOnes() {
        assertFails(
                VocabularyBuilder.byteLevel("kimi-k2"),
                "pre: expected one of llama-bpe, llama3, llama-v3, falcon3, falcon_e, smaug-bpe, gpt-2, default, smollm,"
                        + " starcoder, qwen2, tekken, found 'kimi-k2'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ab", " ", "", "a ", " b", "a b", "a \u00e9\u00e9"})
    void aMergeMustMakeATokenOfTwo(String merge) {
        VocabularyBuilder builder = VocabularyBuilder.byteLevel("gpt-2");
        builder.merges.add(merge);
        assertFails(builder, "merges: expected two tokens that make a third, found '" + merge + "' as element 0");
    }

    @Test
    void contradictionsAreNamed() {
        assertFails(
                VocabularyBuilder.byteLevel("gpt-2").add("x", 7),
                "token_type: expected types from 0 to 6, found 7 of id 256");
        assertFails(
                VocabularyBuilder.byteLevel("gpt-2").addBos(true),
                "add_bos_token: expected a bos_token_id to be added, found no such key");
        VocabularyBuilder unscored = VocabularyBuilder.scored("a");
        unscored.scores.clear();
        assertFails(unscored, "scores: expected a score for each token, found none");
        assertFails(
                VocabularyBuilder.scored("a").add("b", 1, Float.NaN), "scores: expected numbers, found NaN for id 260");
        assertFails(
                VocabularyBuilder.scored("a").add("ab", 1, -1000).add("ba", 1, -1000),
                "scores: expected scores that order the pieces, found -1000.0 for all");
        assertFails(
                VocabularyBuilder.scored("a".repeat(257)),
                "tokens: expected pieces of at most 256 characters, found 257 in id 259");
        assertFails(
                VocabularyBuilder.byteLevel("gpt-2").add("a".repeat((1 << 14) + 1), 3),
                "tokens: expected tokens of at most 16384 characters, found 16385 in id 256");
        VocabularyBuilder special = VocabularyBuilder.byteLevel("gpt-2");
        IntStream.rangeClosed(0, 1 << 14).forEach(i -> special.add("<" + i + ">", VocabularyBuilder.CONTROL));
        assertFails(special, "token_type: expected at most 16384 control and user-defined tokens, found 16385");
    }

    private static void assertFails(VocabularyBuilder vocabulary, String problem) {
        assertThatExceptionOfType(TokenizerFormatException.class)
                .isThrownBy(() -> Tokenizer.load(vocabulary.build()))
                .withMessage("model.gguf: metadata tokenizer.ggml." + problem + REMEDY);
    }

    @Test
    void rolesAndListsMustFitTheTokens() {
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        VocabularyBuilder.byteLevel("gpt-2").role("eos", 256).build())
                .withMessageContaining("expected ids below 256");
        VocabularyBuilder builder = VocabularyBuilder.byteLevel("gpt-2");
        builder.types.removeFirst();
        assertThatIllegalArgumentException()
                .isThrownBy(builder::build)
                .withMessage("expected one type and one score for each of 256 tokens, found 255 and 256");
    }

    @Test
    void equalMergesKeepTheirFirstRank() throws Exception {
        VocabularyBuilder builder = VocabularyBuilder.byteLevel("gpt-2", "ab", "bc");
        builder.merges.add("a b");
        try (Tokenizer tokenizer = Tokenizer.load(builder.build())) {
            assertThat(pieces(tokenizer, "abc")).isEqualTo("ab|c");
        }
    }
}
