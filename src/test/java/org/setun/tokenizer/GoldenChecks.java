package org.setun.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Compares a tokenizer with what Hugging Face's libraries make of a golden one, however it was loaded. */
public final class GoldenChecks {

    private GoldenChecks() {}

    /** Checks encodings, decodings, streams and chats. */
    public static void check(Tokenizer tokenizer, String name) throws Exception {
        checkTexts(tokenizer, name, Set.of());
        checkStreams(tokenizer, name);
        checkChats(tokenizer, name);
    }

    /** Checks the ids and decodings of all texts but those in {@code except}. */
    static void checkTexts(Tokenizer tokenizer, String name, Set<String> except) {
        JsonNode cases = Golden.expected(name).get("cases");
        assertThat(cases).hasSize(200);
        int checked = 0;
        for (JsonNode expected : cases) {
            String text = expected.get("text").asString();
            if (except.contains(text)) {
                continue;
            }
            checked++;
            int[] ids = Golden.ids(expected.get("ids"));
            int[] plain = Golden.ids(expected.get("ids_no_special"));
            assertThat(tokenizer.encode(text, true)).as(text).containsExactly(ids);
            assertThat(tokenizer.encode(text, false)).as(text).containsExactly(plain);
            assertThat(tokenizer.decode(plain, false))
                    .isEqualTo(expected.get("decoded").asString());
            assertThat(tokenizer.decode(ids, true))
                    .isEqualTo(expected.get("decoded_skip_special").asString());
        }
        assertThat(checked).isEqualTo(200 - except.size());
    }

    static void checkStreams(Tokenizer tokenizer, String name) {
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

    static void checkChats(Tokenizer tokenizer, String name) throws Exception {
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
