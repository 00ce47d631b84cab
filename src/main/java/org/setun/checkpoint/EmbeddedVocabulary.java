package org.setun.checkpoint;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The tokenizer that a GGUF file carries, as it stands there: what an absent value means depends on the model, and the
 * tokenizer decides it.
 *
 * @param model {@code gpt2} for byte-level BPE, {@code llama} for pieces with scores
 * @param pre the name of the rule that splits text before merging
 * @param tokens the tokens by id; of {@code gpt2} in the printable byte alphabet
 * @param tokenTypes one for each token: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; or empty
 * @param scores one for each token, or empty
 * @param merges pairs {@code left right}, first rank first, or empty
 * @param specialIds the ids of tokens with a role
 * @param addBos whether encoding begins with the bos token
 * @param addEos whether encoding ends with the eos token
 * @param addSpacePrefix whether encoding puts a space before the text
 * @param chatTemplate the Jinja template of a conversation
 */
public record EmbeddedVocabulary(
        String model,
        Optional<String> pre,
        List<String> tokens,
        int[] tokenTypes,
        float[] scores,
        List<String> merges,
        SpecialIds specialIds,
        Optional<Boolean> addBos,
        Optional<Boolean> addEos,
        Optional<Boolean> addSpacePrefix,
        Optional<String> chatTemplate) {

    private static final String PREFIX = "tokenizer.ggml.";
    private static final String TOKENS = PREFIX + "tokens";

    /** The ids of tokens with a role, each below the number of tokens. */
    public record SpecialIds(
            OptionalInt bos, OptionalInt eos, OptionalInt eot, OptionalInt unknown, OptionalInt padding) {}

    public EmbeddedVocabulary {
        tokens = List.copyOf(tokens);
        merges = List.copyOf(merges);
    }

    /** Tells whether there is a vocabulary in {@code metadata}, rather than none or only a model's name. */
    static boolean isIn(GgufMetadata metadata) {
        return metadata.has(TOKENS);
    }

    /** Reads the vocabulary in {@code metadata}. */
    static EmbeddedVocabulary read(GgufMetadata metadata) throws CheckpointFormatException {
        List<String> tokens = metadata.strings(TOKENS);
        return new EmbeddedVocabulary(
                metadata.string(PREFIX + "model"),
                metadata.findString(PREFIX + "pre"),
                tokens,
                tokenTypes(metadata, tokens.size()),
                scores(metadata, tokens.size()),
                metadata.has(PREFIX + "merges") ? metadata.strings(PREFIX + "merges") : List.of(),
                new SpecialIds(
                        tokenId(metadata, "bos_token_id", tokens.size()),
                        tokenId(metadata, "eos_token_id", tokens.size()),
                        tokenId(metadata, "eot_token_id", tokens.size()),
                        tokenId(metadata, "unknown_token_id", tokens.size()),
                        tokenId(metadata, "padding_token_id", tokens.size())),
                metadata.findBool(PREFIX + "add_bos_token"),
                metadata.findBool(PREFIX + "add_eos_token"),
                metadata.findBool(PREFIX + "add_space_prefix"),
                metadata.findString("tokenizer.chat_template"));
    }

    private static int[] tokenTypes(GgufMetadata metadata, int tokens) throws CheckpointFormatException {
        String key = PREFIX + "token_type";
        int[] types = metadata.has(key) ? metadata.integers(key) : new int[0];
        requireOneEach(metadata, key, types.length, tokens);
        return types;
    }

    private static float[] scores(GgufMetadata metadata, int tokens) throws CheckpointFormatException {
        String key = PREFIX + "scores";
        float[] scores = metadata.has(key) ? metadata.floats(key) : new float[0];
        requireOneEach(metadata, key, scores.length, tokens);
        return scores;
    }

    private static void requireOneEach(GgufMetadata metadata, String key, int length, int tokens)
            throws CheckpointFormatException {
        if (length != 0 && length != tokens) {
            throw metadata.mismatch(key, tokens + " elements, one for each token", Integer.toString(length));
        }
    }

    private static OptionalInt tokenId(GgufMetadata metadata, String role, int tokens)
            throws CheckpointFormatException {
        OptionalInt id = metadata.findCount(PREFIX + role);
        if (id.isPresent() && id.getAsInt() >= tokens) {
            throw metadata.mismatch(
                    PREFIX + role, "the id of one of " + tokens + " tokens", Integer.toString(id.getAsInt()));
        }
        return id;
    }
}
