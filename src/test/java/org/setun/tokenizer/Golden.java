package org.setun.tokenizer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The tokenizers in the tree, with what Hugging Face's libraries make of them. */
final class Golden {

    static final Path RESOURCES = Path.of("src/test/resources");

    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Golden() {}

    /** The names of the tokenizers. */
    static Stream<Arguments> tokenizers() {
        return Stream.of("byte-level-gpt2", "byte-level-llama3", "metaspace-llama2", "metaspace-mistral")
                .map(Arguments::of);
    }

    static Path directory(String tokenizer) {
        return RESOURCES.resolve("golden/tokenizer").resolve(tokenizer);
    }

    static JsonNode expected(String tokenizer) {
        return read(directory(tokenizer).resolve("expected.json"));
    }

    static JsonNode read(Path file) {
        return MAPPER.readTree(file);
    }

    static int[] ids(JsonNode array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = array.get(i).asInt();
        }
        return ids;
    }

    static List<ChatMessage> messages(JsonNode array) {
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : array) {
            messages.add(new ChatMessage(
                    message.get("role").asString(), message.get("content").asString()));
        }
        return messages;
    }
}
