package org.setun.tokenizer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Makes the vocabularies that GGUF files carry. */
final class VocabularyBuilder {

    static final int NORMAL = 1;
    static final int UNKNOWN = 2;
    static final int CONTROL = 3;
    static final int USER_DEFINED = 4;
    static final int UNUSED = 5;
    static final int BYTE = 6;

    /** GPT-2's alphabet, a character for each byte, in the order of its tokens. */
    static final List<String> ALPHABET = Golden.read(
                    Golden.directory("byte-level-gpt2").resolve("tokenizer.json"))
            .at("/model/vocab")
            .propertyStream()
            .filter(entry -> entry.getValue().asInt() < 256)
            .sorted(Comparator.comparingInt(entry -> entry.getValue().asInt()))
            .map(Map.Entry::getKey)
            .toList();

    final List<String> tokens = new ArrayList<>();
    final List<Integer> types = new ArrayList<>();
    final List<Float> scores = new ArrayList<>();
    final List<String> merges = new ArrayList<>();
    private String model;
    private final Map<String, Integer> roles = new HashMap<>();
    private @Nullable String pre;
    private @Nullable Boolean addBos;
    private @Nullable Boolean addEos;
    private @Nullable Boolean addSpacePrefix;
    private @Nullable String chatTemplate;
    private boolean typed = true;

    VocabularyBuilder(String model) {
        this.model = model;
    }

    /** A byte-level vocabulary of the 256 bytes and {@code words}, each made letter by letter. */
    static VocabularyBuilder byteLevel(String pre, String... words) {
        VocabularyBuilder builder = new VocabularyBuilder("gpt2").pre(pre).addBytes();
        for (String word : words) {
            for (int end = 2; end <= word.length(); end++) {
                String token = word.substring(0, end);
                if (!builder.tokens.contains(token)) {
                    builder.add(token, NORMAL);
                    builder.merges.add(word.substring(0, end - 1) + " " + word.charAt(end - 1));
                }
            }
        }
        return builder;
    }

    /** A vocabulary of {@code <unk>}, {@code <s>}, {@code </s>}, the bytes, and {@code pieces} by falling score. */
    static VocabularyBuilder scored(String... pieces) {
        VocabularyBuilder builder = new VocabularyBuilder("llama")
                .add("<unk>", UNKNOWN)
                .add("<s>", CONTROL)
                .add("</s>", CONTROL);
        builder.addBytes();
        for (String piece : pieces) {
            builder.add(piece, NORMAL, -builder.tokens.size());
        }
        return builder;
    }

    /** The vocabulary of a golden {@code tokenizer.json}, as llama.cpp's conversion would write it. */
    static VocabularyBuilder golden(String name) {
        JsonNode json = Golden.read(Golden.directory(name).resolve("tokenizer.json"));
        JsonNode config = Golden.read(Golden.directory(name).resolve("tokenizer_config.json"));
        boolean scored = json.at("/model/byte_fallback").asBoolean();
        Map<Integer, String> texts = new HashMap<>();
        json.at("/model/vocab").properties().forEach(e -> texts.put(e.getValue().asInt(), e.getKey()));
        Map<Integer, String> added = new HashMap<>();
        json.get("added_tokens")
                .forEach(token ->
                        added.put(token.get("id").asInt(), token.get("content").asString()));
        texts.putAll(added);
        Map<String, Float> ranks = new HashMap<>();
        VocabularyBuilder builder = new VocabularyBuilder(scored ? "llama" : "gpt2");
        for (JsonNode merge : json.at("/model/merges")) {
            String left = merge.get(0).asString();
            String right = merge.get(1).asString();
            ranks.putIfAbsent(left + right, (float) -ranks.size());
            builder.merges.add(left + " " + right);
        }
        for (int id = 0; id < texts.size(); id++) {
            String text = Objects.requireNonNull(texts.get(id));
            boolean isByte = scored && text.matches("<0x[0-9A-F]{2}>");
            int type = text.equals("<unk>") ? UNKNOWN : added.containsKey(id) ? CONTROL : isByte ? BYTE : NORMAL;
            builder.add(text, type, type == NORMAL ? ranks.getOrDefault(text, -1e6f - id) : 0);
        }
        if (scored) {
            builder.merges.clear();
        } else {
            builder.scores.clear();
            builder.addBos(true);
        }
        for (String role : List.of("bos", "eos")) {
            builder.role(
                    role, builder.tokens.indexOf(config.get(role + "_token").asString()));
        }
        return builder.chatTemplate(config.get("chat_template").asString());
    }

    VocabularyBuilder model(String name) {
        model = name;
        return this;
    }

    /** Adds a token for each byte, as the model so far has them. */
    VocabularyBuilder addBytes() {
        if (model.equals("llama")) {
            IntStream.range(0, 256).forEach(value -> add("<0x%02X>".formatted(value), BYTE));
        } else {
            ALPHABET.forEach(token -> add(token, NORMAL));
        }
        return this;
    }

    VocabularyBuilder add(String token, int type) {
        return add(token, type, 0);
    }

    VocabularyBuilder add(String token, int type, float score) {
        tokens.add(token);
        types.add(type);
        scores.add(score);
        return this;
    }

    VocabularyBuilder pre(@Nullable String name) {
        pre = name;
        return this;
    }

    VocabularyBuilder role(String role, int id) {
        roles.put(role, id);
        return this;
    }

    VocabularyBuilder addBos(boolean add) {
        addBos = add;
        return this;
    }

    VocabularyBuilder addEos(boolean add) {
        addEos = add;
        return this;
    }

    VocabularyBuilder addSpacePrefix(boolean add) {
        addSpacePrefix = add;
        return this;
    }

    VocabularyBuilder chatTemplate(String source) {
        chatTemplate = source;
        return this;
    }

    VocabularyBuilder untyped() {
        typed = false;
        return this;
    }

    GgufVocabulary build() {
        float[] scoreArray = new float[scores.size()];
        for (int i = 0; i < scoreArray.length; i++) {
            scoreArray[i] = scores.get(i);
        }
        return new GgufVocabulary(
                Path.of("model.gguf"),
                model,
                Optional.ofNullable(pre),
                tokens,
                typed ? types.stream().mapToInt(Integer::intValue).toArray() : new int[0],
                scoreArray,
                merges,
                new GgufVocabulary.SpecialIds(
                        roleId("bos"), roleId("eos"), roleId("eot"), roleId("unknown"), roleId("padding")),
                Optional.ofNullable(addBos),
                Optional.ofNullable(addEos),
                Optional.ofNullable(addSpacePrefix),
                Optional.ofNullable(chatTemplate));
    }

    private OptionalInt roleId(String role) {
        Integer id = roles.get(role);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
