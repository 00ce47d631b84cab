package org.setun.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** Ids, text, streams and rendered chats are those of Hugging Face's libraries. */
final class GoldenTokenizerTest {

    private static final String TOKENIZERS = "org.setun.tokenizer.Golden#tokenizers";

    @ParameterizedTest
    @MethodSource(TOKENIZERS)
    void idsAndTextAreTheExpectedOnes(String name) throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory(name))) {
            JsonNode cases = Golden.expected(name).get("cases");
            assertThat(cases).hasSize(200);
            for (JsonNode expected : cases) {
                String text = expected.get("text").asString();
                int[] ids = Golden.ids(expected.get("ids"));
                int[] plain = Golden.ids(expected.get("ids_no_special"));
                assertThat(tokenizer.encode(text, true)).as(text).containsExactly(ids);
                assertThat(tokenizer.encode(text, false)).as(text).containsExactly(plain);
                assertThat(tokenizer.decode(plain, false))
                        .isEqualTo(expected.get("decoded").asString());
                assertThat(tokenizer.decode(ids, true))
                        .isEqualTo(expected.get("decoded_skip_special").asString());
            }
        }
    }

    @ParameterizedTest
    @MethodSource(TOKENIZERS)
    void streamsEmitWhatIsCertainAndNothingElse(String name) throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory(name))) {
            JsonNode cases = Golden.expected(name).get("streaming");
            assertThat(cases).isNotEmpty();
            for (JsonNode expected : cases) {
                IncrementalDecoder decoder = tokenizer.decoder(false);
                List<String> chunks = new ArrayList<>();
                for (int id : Golden.ids(expected.get("ids"))) {
                    chunks.add(decoder.append(id));
                }
                String flush = decoder.flush();
                assertThat(String.join("", chunks) + flush)
                        .isEqualTo(expected.get("full").asString());
                if (!expected.get("chunks").isNull()) {
                    List<String> expectedChunks = new ArrayList<>();
                    expected.get("chunks").forEach(chunk -> expectedChunks.add(chunk.asString()));
                    assertThat(chunks).isEqualTo(expectedChunks);
                    assertThat(flush).isEqualTo(expected.get("flush").asString());
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(TOKENIZERS)
    void chatsRenderAndEncodeAsExpected(String name) throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory(name))) {
            TokenizerConfig config = TokenizerConfig.read(Golden.directory(name));
            ChatTemplate template = new ChatTemplate(config.chatTemplate().orElseThrow(), config.specialTokens());
            JsonNode cases = Golden.expected(name).get("chat");
            assertThat(cases).hasSize(4);
            for (JsonNode expected : cases) {
                List<ChatMessage> messages = Golden.messages(expected.get("messages"));
                boolean cue = expected.get("add_generation_prompt").asBoolean();
                String text = template.render(messages, cue);
                assertThat(text).isEqualTo(expected.get("text").asString());
                assertThat(tokenizer.encode(text, false)).containsExactly(Golden.ids(expected.get("ids")));
                if (cue) {
                    assertThat(tokenizer.renderChat(messages)).isEqualTo(text);
                }
            }
        }
    }
}
