package org.setun.tokenizer;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * The vocabulary that a GGUF file carries, under its {@code tokenizer.ggml.*} keys and {@code tokenizer.chat_template}, as
 * it stands there. {@link Tokenizer#load(GgufVocabulary)} decides what absent values mean.
 *
 * @param file the file, for messages
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
public record GgufVocabulary(
        Path file,
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

    private static final String REMEDY = "put the tokenizer.json that was published with the model beside the file";

    /** The ids of tokens with a role, each below the number of tokens. */
    public record SpecialIds(
            OptionalInt bos, OptionalInt eos, OptionalInt eot, OptionalInt unknown, OptionalInt padding) {

        Stream<OptionalInt> all() {
            return Stream.of(bos, eos, eot, unknown, padding);
        }
    }

    /** @throws IllegalArgumentException if types or scores are not one for each token, or a role has no token */
    public GgufVocabulary {
        int size = tokens.size();
        if ((tokenTypes.length != 0 && tokenTypes.length != size) || (scores.length != 0 && scores.length != size)) {
            throw new IllegalArgumentException("expected one type and one score for each of " + size + " tokens, found "
                    + tokenTypes.length + " and " + scores.length);
        }
        if (specialIds.all().anyMatch(id -> id.isPresent() && (id.getAsInt() < 0 || id.getAsInt() >= size))) {
            throw new IllegalArgumentException("expected ids below " + size + ", found " + specialIds);
        }
        tokens = List.copyOf(tokens);
        merges = List.copyOf(merges);
    }

    /** Returns the fault that the value under {@code tokenizer.ggml.}{@code key} cannot be used. */
    TokenizerFormatException fault(String key, String problem) {
        return new TokenizerFormatException(file, "metadata tokenizer.ggml." + key + ": " + problem, REMEDY);
    }
}
