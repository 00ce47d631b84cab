package org.setun.generation;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.setun.sampling.SequenceBreakers;
import org.setun.tokenizer.Tokenizer;

/**
 * Finds the sequences of tokens in which a text can appear: one token that contains it, or one that ends with its beginning and
 * those of the rest. For that it looks at every token, and so keeps what it found for the texts asked for last. As in llama-server.
 * Thread-safe.
 */
final class BreakerTokens {

    /** How many sets of texts to remember; clients send the same ones all the time. */
    private static final int REMEMBERED = 16;

    /** How many tokens of a rest count: enough for the longest text that a client may send. */
    private static final int MAX_TAIL = 20;

    private final Tokenizer tokenizer;
    private final int vocabSize;
    private final Map<List<String>, SequenceBreakers> found = new LinkedHashMap<>(REMEMBERED, 0.75f, true) {

        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<List<String>, SequenceBreakers> eldest) {
            return size() > REMEMBERED;
        }
    };

    private @Nullable List<String> texts;

    BreakerTokens(Tokenizer tokenizer, int vocabSize) {
        this.tokenizer = tokenizer;
        this.vocabSize = vocabSize;
    }

    /** Returns the sequences of tokens that break at any of {@code breakers}, none of them empty. */
    synchronized SequenceBreakers of(List<String> breakers) {
        return found.computeIfAbsent(breakers, this::find);
    }

    private SequenceBreakers find(List<String> breakers) {
        List<List<Integer>> sequences = new ArrayList<>();
        List<String> tokens = texts();
        for (String breaker : breakers) {
            List<List<Integer>> rests = IntStream.range(1, breaker.length())
                    .mapToObj(overlap -> rest(breaker.substring(overlap)))
                    .toList();
            for (int id = 0; id < tokens.size(); id++) {
                addSequences(id, tokens.get(id), breaker, rests, sequences);
            }
        }
        return new SequenceBreakers(sequences);
    }

    private List<Integer> rest(String text) {
        return Arrays.stream(tokenizer.encode(text, false))
                .limit(MAX_TAIL)
                .boxed()
                .toList();
    }

    private static void addSequences(
            int id, String token, String breaker, List<List<Integer>> rests, List<List<Integer>> sequences) {
        if (token.contains(breaker)) {
            sequences.add(List.of(id));
            return;
        }
        for (int overlap = 1; overlap < breaker.length(); overlap++) {
            if (token.endsWith(breaker.substring(0, overlap))) {
                List<Integer> sequence = new ArrayList<>(List.of(id));
                sequence.addAll(rests.get(overlap - 1));
                sequences.add(sequence);
            }
        }
    }

    /** Returns what each token stands for, that of an unknown one being empty. */
    private List<String> texts() {
        List<String> known = texts;
        if (known == null) {
            known = IntStream.range(0, Math.min(vocabSize, tokenizer.vocabSize()))
                    .mapToObj(id -> new String(tokenizer.tokenBytes(id), StandardCharsets.UTF_8))
                    .toList();
            texts = known;
        }
        return known;
    }
}
