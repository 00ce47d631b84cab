package org.setun.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class TokenScorerTest {

    private static final int VOCAB = 300;

    @Test
    void probabilitiesAreTheSoftmax() {
        float[] logits = logits(new Random(5), 2 * VOCAB);
        TokenScorer scorer = new TokenScorer(VOCAB);
        double sum = 0;
        for (int id = VOCAB; id < 2 * VOCAB; id++) {
            sum += Math.exp(logits[id]);
        }
        for (int token = 0; token < VOCAB; token++) {
            TokenScore score = scorer.score(logits, VOCAB, token, 0);
            assertThat(score.token().id()).isEqualTo(token);
            assertThat((double) score.token().logProbability())
                    .isCloseTo(Math.log(Math.exp(logits[VOCAB + token]) / sum), within(1e-5));
            assertThat(score.top()).isEmpty();
        }
    }

    @Test
    void theBestComeFirstAndOfEqualsTheLowestId() {
        Random random = new Random(6);
        TokenScorer scorer = new TokenScorer(VOCAB);
        for (int run = 0; run < 50; run++) {
            float[] logits = logits(random, VOCAB);
            for (int tie = 0; tie < 100; tie++) {
                logits[random.nextInt(VOCAB)] = 2.5f;
            }
            List<Integer> sorted = IntStream.range(0, VOCAB)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer id) -> -logits[id])
                            .thenComparing(id -> id))
                    .toList();
            int top = random.nextInt(VOCAB + 20);
            int token = random.nextInt(VOCAB);
            TokenScore score = scorer.score(logits, 0, token, top);
            assertThat(score.top().stream().map(TokenScore.Scored::id).toList())
                    .isEqualTo(sorted.subList(0, Math.min(top, VOCAB)));
            assertThat(score.rank())
                    .isEqualTo(IntStream.range(0, VOCAB)
                            .filter(id -> logits[id] >= logits[token])
                            .count());
        }
    }

    @Test
    void aTokenThatCannotComeHasNoProbability() {
        float[] logits = {1, Float.NEGATIVE_INFINITY, 3};
        TokenScore score = new TokenScorer(3).score(logits, 0, 1, 3);
        assertThat(score.token().logProbability()).isEqualTo(Float.NEGATIVE_INFINITY);
        assertThat(score.rank()).isEqualTo(3);
    }

    @Test
    void logitsThatAreNoNumbersAreAFault() {
        TokenScorer scorer = new TokenScorer(2);
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> scorer.score(new float[] {1, bad}, 0, 0, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the checkpoint's weights or scales are damaged");
        }
    }

    private static float[] logits(Random random, int count) {
        float[] logits = new float[count];
        for (int i = 0; i < count; i++) {
            logits[i] = (float) random.nextGaussian() * 3;
        }
        return logits;
    }
}
