package org.setun.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

final class TokenBytesTest {

    @ParameterizedTest
    @MethodSource("org.setun.tokenizer.Golden#tokenizers")
    void theBytesOfATextsTokensAreTheText(String name) throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory(name))) {
            for (JsonNode expected : Golden.expected(name).get("cases")) {
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                for (int id : Golden.ids(expected.get("ids_no_special"))) {
                    bytes.writeBytes(tokenizer.tokenBytes(id));
                }
                String text = bytes.toString(StandardCharsets.UTF_8);
                // Only the beginning of a text loses the space that begins a word.
                boolean spaced = name.startsWith("metaspace") && text.startsWith(" ");
                assertThat(spaced ? text.substring(1) : text)
                        .isEqualTo(expected.get("decoded").asString());
            }
        }
    }

    @Test
    void aTokenMayBeAPartOfACharacterAndASpecialOneIsItsName() throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory("metaspace-llama2"))) {
            assertThat(tokenizer.tokenBytes(tokenizer.tokenId("<0xE2>").orElseThrow()))
                    .containsExactly(0xE2);
            assertThat(tokenizer.tokenBytes(tokenizer.bosId().orElseThrow()))
                    .isEqualTo("<s>".getBytes(StandardCharsets.UTF_8));
            assertThat(tokenizer.tokenBytes(tokenizer.vocabSize())).isEmpty();
        }
    }
}
