package org.setun.generation;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.sampling.TokenScore;
import org.setun.tokenizer.Tokenizer;

/** Tokens and text of real tokenizers, which decode in different ways. */
final class TokenTrailTest {

    /** Chosen anew each run; rerun one with {@code ./mvnw test -Dtest=TokenTrailTest -Dsetun.seed=…}. */
    private static final long SEED = Long.getLong("setun.seed", System.nanoTime());

    private static final String TEXT = "A naïve \"Жар-птица\" 🐦\n\n\tcost 5 €, or 𝄞.";

    @ParameterizedTest
    @ValueSource(strings = {"byte-level-gpt2", "byte-level-llama3", "metaspace-llama2", "metaspace-mistral"})
    void aTokensOffsetIsWhereItsTextStands(String name) throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(Path.of("src/test/resources/golden/tokenizer", name))) {
            int[] ids = tokenizer.encode(TEXT, false);
            List<TextToken> tokens = new ArrayList<>();
            StringBuilder text = new StringBuilder();
            answer(tokenizer, List.of(), ids, text, tokens);
            assertThat(text).hasToString(TEXT);
            assertThat(tokens).extracting(TextToken::id).containsExactlyElementsOf(boxed(ids));
            for (TextToken token : tokens) {
                int[] codePoints = TEXT.codePoints().skip(token.offset()).toArray();
                String piece = new String(tokenizer.tokenBytes(token.id()), StandardCharsets.UTF_8);
                boolean whole = piece.indexOf('\ufffd') < 0;
                if (whole && token.offset() > 0) {
                    assertThat(new String(codePoints, 0, codePoints.length)).startsWith(piece);
                }
            }
        }
    }

    @Test
    void theTokensOfAnAnswerAreThoseThatBeginBeforeTheStopString() throws Exception {
        Random random = new Random(SEED);
        try (Tokenizer tokenizer = Tokenizer.load(Path.of("src/test/resources/golden/tokenizer/byte-level-gpt2"))) {
            int[] ids = tokenizer.encode(TEXT, false);
            for (int round = 0; round < 500; round++) {
                int from = random.nextInt(TEXT.length() - 4);
                String stop = TEXT.substring(from, from + 1 + random.nextInt(4));
                List<TextToken> tokens = new ArrayList<>();
                StringBuilder text = new StringBuilder();
                answer(tokenizer, List.of(stop), ids, text, tokens);
                int end = text.codePointCount(0, text.length());
                List<TextToken> all = new ArrayList<>();
                answer(tokenizer, List.of(), ids, new StringBuilder(), all);
                assertThat(tokens)
                        .as("seed %d, stop '%s'", SEED, stop)
                        .isEqualTo(all.stream()
                                .filter(token -> token.offset() < end)
                                .toList());
            }
        }
    }

    private static void answer(
            Tokenizer tokenizer, List<String> stops, int[] ids, StringBuilder text, List<TextToken> tokens) {
        AnswerText answer =
                new AnswerText(tokenizer.decoder(true), new StopStrings(stops), new TokenTrail(tokenizer, 0));
        for (int id : ids) {
            if (!answer.isStopped()) {
                TokenScore score = new TokenScore(new TokenScore.Scored(id, -1), 1, List.of());
                add(answer.append(id, score), text, tokens);
            }
        }
        add(answer.end(), text, tokens);
    }

    private static void add(GenerationEvent.Text more, StringBuilder text, List<TextToken> tokens) {
        text.append(more.text());
        tokens.addAll(more.tokens());
    }

    private static List<Integer> boxed(int[] ids) {
        return Arrays.stream(ids).boxed().toList();
    }
}
