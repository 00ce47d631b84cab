package org.setun.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Makes tokenizers of hostile vocabularies, written one thing a line: see {@link #read}. Run it for real:
 * {@code ./mvnw test-compile surefire:test@fuzz-gguf-tokenizer -Dfuzz.duration=10m}.
 */
final class GgufTokenizerFuzzTest {

    private static final String TEXT = "  Hello World 12345\n\u00e9e\u0301 \u2581\ud83d\ude80 <s><|eot_id|>[PAD3]\0";

    @FuzzTest
    void anyVocabularyWorksOrIsRefused(byte[] input) {
        String lines = new String(input, StandardCharsets.UTF_8);
        GgufVocabulary vocabulary;
        try {
            vocabulary = read(lines);
        } catch (IllegalArgumentException notAVocabulary) {
            return;
        }
        try (Tokenizer tokenizer = Tokenizer.load(vocabulary)) {
            use(tokenizer, vocabulary, TEXT);
            use(tokenizer, vocabulary, lines);
        } catch (TokenizerFormatException e) {
            assertThat(e.getMessage())
                    .startsWith("model.gguf: metadata tokenizer.ggml.")
                    .contains("; ")
                    .doesNotContain("\n");
        }
    }

    private static void use(Tokenizer tokenizer, GgufVocabulary vocabulary, String text) {
        int size = vocabulary.tokens().size();
        assertThat(tokenizer.vocabSize()).isEqualTo(size);
        for (int id : tokenizer.encode(text, true)) {
            assertThat(id).isBetween(0, size - 1);
        }
        int[] all = IntStream.range(0, size).toArray();
        IncrementalDecoder decoder = tokenizer.decoder(false);
        StringBuilder streamed = new StringBuilder();
        for (int id : all) {
            streamed.append(decoder.append(id));
        }
        assertThat(streamed.append(decoder.flush()).toString()).isEqualTo(tokenizer.decode(all, false));
        tokenizer.decode(all, true);
        assertThat(tokenizer.stopIds()).allMatch(id -> id >= 0 && id < size);
        if (losesNothing(vocabulary)) {
            assertThat(tokenizer.decode(tokenizer.encode(text, false), false)).isEqualTo(text);
        }
    }

    /** With a token for each byte, none of which stands for itself in a text, and no normalisation, text comes back. */
    private static boolean losesNothing(GgufVocabulary vocabulary) {
        return vocabulary.model().equals("gpt2")
                && !vocabulary.pre().equals(Optional.of("qwen2"))
                && IntStream.of(vocabulary.tokenTypes()).allMatch(type -> type == 1 || type == 5)
                && vocabulary.specialIds().all().allMatch(OptionalInt::isEmpty)
                && vocabulary.tokens().containsAll(VocabularyBuilder.ALPHABET);
    }

    /**
     * Reads a vocabulary. The first character of a line says what it is: {@code m} the model, {@code p} the split rule,
     * {@code c} the chat template, {@code b}, {@code e}, {@code t}, {@code u} and {@code d} the ids of bos, eos, eot, the
     * unknown and the padding token, {@code B}, {@code E} and {@code S} whether to add bos, eos and a space, {@code +} a
     * merge, {@code %} tokens for all bytes, {@code U} that there are no types, {@code N} that there are no scores. A digit
     * is the type of a token; its score comes next, and after a space its text.
     */
    private static GgufVocabulary read(String lines) {
        VocabularyBuilder builder = new VocabularyBuilder("gpt2");
        for (String line : lines.split("\n", -1)) {
            String rest = line.isEmpty() ? "" : line.substring(1);
            switch (line.isEmpty() ? ' ' : line.charAt(0)) {
                case 'm' -> builder.model(rest);
                case 'p' -> builder.pre(rest);
                case 'c' -> builder.chatTemplate(rest);
                case 'b' -> builder.role("bos", Integer.parseInt(rest));
                case 'e' -> builder.role("eos", Integer.parseInt(rest));
                case 't' -> builder.role("eot", Integer.parseInt(rest));
                case 'u' -> builder.role("unknown", Integer.parseInt(rest));
                case 'd' -> builder.role("padding", Integer.parseInt(rest));
                case 'B' -> builder.addBos(rest.equals("1"));
                case 'E' -> builder.addEos(rest.equals("1"));
                case 'S' -> builder.addSpacePrefix(rest.equals("1"));
                case '+' -> builder.merges.add(rest);
                case '%' -> builder.addBytes();
                case 'U' -> builder.untyped();
                case 'N' -> builder.scores.clear();
                case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                    String[] token = rest.split(" ", 2);
                    builder.add(token[token.length - 1], line.charAt(0) - '0', score(token[0]));
                }
                default -> builder.pre(null);
            }
        }
        return builder.build();
    }

    private static float score(String text) {
        return text.isEmpty() ? 0 : Float.parseFloat(text);
    }
}
