package org.setun.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TokenizerFilesTest {

    @TempDir
    Path directory;

    @BeforeEach
    void copyTokenizer() throws IOException {
        Files.copy(Golden.directory("metaspace-llama2").resolve("tokenizer.json"), directory.resolve("tokenizer.json"));
    }

    @Test
    void aMissingTokenizerIsNamed() throws IOException {
        Files.delete(directory.resolve("tokenizer.json"));

        assertFails("tokenizer.json: expected the checkpoint's tokenizer, found no such file; use the tokenizer.json");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "hello | expected JSON, found Unrecognized token 'hello'",
                "[] | expected a JSON object",
                "{\"model\": {\"type\": \"BPE\"}} | expected the field model.vocab, found none",
                "{\"model\": {\"vocab\": {\"a\": \"b\"}}} | model.vocab: expected whole numbers as ids",
                "{\"model\": {\"vocab\": {\"a\": 99999999999}}} | expected token ids from 0 to 4194303, found 99999999999",
                "{\"model\": {\"vocab\": {\"a\": -1}}} | expected token ids from 0 to 4194303, found -1",
                "{\"model\": {\"vocab\": [1]}} | model.vocab: expected pairs of token and score",
                "{\"model\": {\"vocab\": {}}, \"added_tokens\": [{}]} | added_tokens: expected content and id",
                "{\"model\": {\"vocab\": {}}, \"decoder\": {\"type\": \"CTC\"}} | found 'CTC'",
                "{\"post_processor\": {\"pair\": [{\"SpecialToken\": {\"id\": \"</s>\"}}]}}"
                        + " | post_processor: expected '</s>' of the template 'pair' among its special_tokens",
                "{\"post_processor\": {\"processors\": [{\"single\": [{\"SpecialToken\": {\"id\": \"x\"}}]}]}}"
                        + " | post_processor: expected 'x' of the template 'single' among its special_tokens",
                "{\"model\": {\"vocab\": {}}} | expected a tokenizer of Hugging Face's tokenizers library",
                "{\"model\": {\"vocab\": {\"a\": 1 | expected JSON, found Unexpected end-of-input",
            })
    void aBrokenTokenizerIsDescribed(String content, String problem) throws IOException {
        Files.writeString(directory.resolve("tokenizer.json"), content);

        assertFails(problem);
    }

    @Test
    void aBrokenConfigIsDescribed() throws IOException {
        Files.writeString(directory.resolve("tokenizer_config.json"), "{");

        assertFails("tokenizer_config.json: expected JSON");
    }

    private void assertFails(String problem) {
        assertThatExceptionOfType(TokenizerFormatException.class)
                .isThrownBy(() -> Tokenizer.load(directory))
                .withMessageContaining(problem);
    }

    @Test
    void theTokenizerAloneIsEnough() throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            assertThat(tokenizer.hasChatTemplate()).isFalse();
            assertThat(tokenizer.bosId()).isEmpty();
            assertThat(tokenizer.tokenId("</s>")).hasValue(2);
            assertThat(tokenizer.tokenId("no such token")).isEmpty();
            assertThatExceptionOfType(ChatTemplateException.class)
                    .isThrownBy(() -> tokenizer.renderChat(List.of(new ChatMessage("user", "Hi"))))
                    .withMessageContaining("no chat template");
        }
    }

    @Test
    void aFileInTheDirectoryStandsForIt() throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(directory.resolve("tokenizer.json"))) {
            assertThat(tokenizer.vocabSize()).isEqualTo(1024);
        }
    }

    @Test
    void specialTokensMayBeObjectsAndTemplatesNamed() throws Exception {
        Files.writeString(directory.resolve("tokenizer_config.json"), """
                {"bos_token": {"content": "<s>", "special": true}, "eos_token": null,
                 "chat_template": [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "{{ bos_token }}yes"}]}
                """);
        Files.writeString(directory.resolve("special_tokens_map.json"), "{\"eos_token\": \"</s>\"}");
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            assertThat(tokenizer.bosId()).hasValue(1);
            assertThat(tokenizer.eosId()).hasValue(2);
            assertThat(tokenizer.renderChat(List.of())).isEqualTo("<s>yes");
        }
    }

    @Test
    void aTemplateOfItsOwnFileCounts() throws Exception {
        Files.writeString(directory.resolve("tokenizer_config.json"), "{\"chat_template\": \"config\"}");
        Files.writeString(directory.resolve("chat_template.jinja"), "file\n");
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            assertThat(tokenizer.renderChat(List.of())).isEqualTo("file");
        }
    }

    @Test
    void textThatIsNoUnicodeIsEncodedWithReplacementCharacters() throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            assertThat(tokenizer.encode("a\uD800🚀\uDC00", false))
                    .containsExactly(tokenizer.encode("a\uFFFD🚀\uFFFD", false));
        }
    }

    @Test
    void longTextIsNotTruncated() throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            assertThat(tokenizer.decode(tokenizer.encode("word ".repeat(5_000), true), true))
                    .isEqualTo("word ".repeat(5_000));
        }
    }

    @Test
    void closingTwiceIsFine() throws Exception {
        Tokenizer tokenizer = Tokenizer.load(directory);
        tokenizer.close();
        tokenizer.close();
    }
}
