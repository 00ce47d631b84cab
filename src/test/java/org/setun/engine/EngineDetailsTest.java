package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.kernel.KernelSelection;
import org.setun.model.Model;
import org.setun.model.RandomModel;
import org.setun.sampling.SamplingParameters;
import org.setun.sampling.TokenScore;
import org.setun.sampling.TokenScorer;

/** What a request is told beside its tokens: scores and the pooled hidden state. */
@Timeout(60)
final class EngineDetailsTest {

    private static final int VOCAB = 97;
    private static final Details SCORES = new Details(OptionalInt.of(3), OptionalInt.of(2), false);
    private static final Details EMBEDDING = new Details(OptionalInt.empty(), OptionalInt.empty(), true);

    @Test
    void everyTokenIsScoredByTheLogitsBeforeIt() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        TokenScorer scorer = new TokenScorer(VOCAB);
        int[] prompt = prompt(new Random(1), 50);
        for (int maxBatchTokens : new int[] {1, 7, 200}) {
            try (Engine engine = engine(model, 1, maxBatchTokens)) {
                Recording recording = submit(engine, request(prompt, 10, SCORES));
                recording.finished();
                assertThat(recording.promptScores()).hasSize(49);
                for (int i = 1; i < prompt.length; i++) {
                    assertThat(recording.promptScores().get(i - 1))
                            .isEqualTo(scorer.score(model.logitsAfter(Arrays.copyOf(prompt, i)), 0, prompt[i], 2));
                }
                assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 10));
                int[] all = Arrays.copyOf(prompt, prompt.length + 10);
                for (int i = 0; i < 10; i++) {
                    all[prompt.length + i] = recording.ids().get(i);
                    assertThat(recording.tokens().get(i).score())
                            .isEqualTo(scorer.score(
                                    model.logitsAfter(Arrays.copyOf(all, prompt.length + i)),
                                    0,
                                    all[prompt.length + i],
                                    3));
                }
            }
        }
    }

    @Test
    void aPromptIsOnlyReadWhereNoTokenIsWanted() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        try (Engine engine = engine(model, 2, 8)) {
            Recording scored = submit(engine, request(new int[] {5}, 0, SCORES));
            assertThat(scored.finished())
                    .isEqualTo(new EngineEvent.Finished(FinishReason.LENGTH, new TokenCounts(1, 0, 0)));
            assertThat(scored.promptScores()).isEmpty();
            Recording plain = submit(engine, request(prompt(new Random(3), 30), 0, Details.NONE));
            assertThat(plain.finished().tokens()).isEqualTo(new TokenCounts(30, 0, 0));
            assertThat(plain.tokens()).isEmpty();
        }
    }

    @Test
    void anEmbeddingIsTheMeanOfTheHiddenStates() throws Exception {
        int[] prompt = prompt(new Random(2), 41);
        double sum = 0;
        for (int i = 1; i <= prompt.length; i++) {
            sum += ScriptedModel.hidden(ScriptedModel.hashOf(Arrays.copyOf(prompt, i)));
        }
        for (int maxBatchTokens : new int[] {2, 9, 64}) {
            try (Engine engine = engine(new ScriptedModel(VOCAB), 2, maxBatchTokens)) {
                Recording recording = submit(engine, request(prompt, 0, EMBEDDING));
                recording.finished();
                assertThat(recording.embedding()).containsExactly((float) (sum / prompt.length));
            }
        }
    }

    @Test
    void anEmbeddingWithTokensIsRefused() {
        assertThatThrownBy(() -> request(new int[] {1}, 2, EMBEDDING))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("max_tokens: expected 0 where an embedding is wanted, found 2");
    }

    @Test
    void aRealModelTellsTheSameAloneAndAmongOthersAtAnyNumberOfThreads() throws Exception {
        RandomModel.Shape shape = new RandomModel.Shape(500, 64, 64, 128, 2, RandomModel.Convolution.NONE, true, null);
        Random random = new Random(8);
        List<TokenRequest> requests = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            Details details = switch (i % 3) {
                case 0 -> SCORES;
                case 1 -> EMBEDDING;
                default -> new Details(OptionalInt.of(1), OptionalInt.empty(), false);
            };
            SamplingParameters sampling = new SamplingParameters(0.8, 0, 0.9, OptionalLong.of(i));
            requests.add(new TokenRequest(
                    "r" + i,
                    random.ints(1 + random.nextInt(40), 0, 500).toArray(),
                    new Ending(details.embedding() ? 0 : 6, Set.of()),
                    sampling,
                    details,
                    Urgency.NORMAL,
                    0));
        }
        List<Told> alone = new ArrayList<>();
        try (Model model = RandomModel.screened(shape, 11, KernelSelection.select("auto", 1))) {
            for (TokenRequest request : requests) {
                alone.addAll(run(model, 1, 64, List.of(request)));
            }
        }
        for (int threads : new int[] {1, 2, 4}) {
            try (Model model = RandomModel.screened(shape, 11, KernelSelection.select("auto", threads))) {
                assertThat(run(model, 5, 24, requests)).isEqualTo(alone);
            }
        }
    }

    private record Told(List<EngineEvent.Token> tokens, List<TokenScore> promptScores, List<Float> embedding) {}

    private static List<Told> run(Model model, int maxSequences, int maxBatchTokens, List<TokenRequest> requests)
            throws Exception {
        try (Engine engine = engine(model, maxSequences, maxBatchTokens)) {
            List<Recording> recordings = new ArrayList<>();
            for (TokenRequest request : requests) {
                recordings.add(submit(engine, request));
            }
            List<Told> told = new ArrayList<>();
            for (int i = 0; i < requests.size(); i++) {
                Recording recording = recordings.get(i);
                recording.finished();
                List<Float> embedding = new ArrayList<>();
                if (requests.get(i).details().embedding()) {
                    for (float value : recording.embedding()) {
                        embedding.add(value);
                    }
                }
                told.add(new Told(recording.tokens(), recording.promptScores(), embedding));
            }
            return told;
        }
    }

    private static int[] prompt(Random random, int length) {
        return random.ints(length, 0, VOCAB).toArray();
    }

    private static TokenRequest request(int[] prompt, int maxTokens, Details details) {
        return new TokenRequest(
                "r", prompt, new Ending(maxTokens, Set.of()), SamplingParameters.GREEDY, details, Urgency.NORMAL, 0);
    }

    private static Recording submit(Engine engine, TokenRequest request) throws EngineRejectedException {
        Recording recording = new Recording();
        engine.submit(request, recording);
        return recording;
    }

    private static Engine engine(Model model, int maxSequences, int maxBatchTokens) {
        return new Engine(
                model, Settings.of(256, maxSequences, maxBatchTokens, 0, Duration.ofSeconds(20)), EngineObserver.NONE);
    }
}
