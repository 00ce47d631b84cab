package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.architecture.HeadMode;
import org.setun.architecture.LoadOptions;
import org.setun.architecture.LoadProgress;
import org.setun.architecture.ModelLoader;
import org.setun.kernel.KernelSelection;
import org.setun.model.KeyValueFormat;
import org.setun.model.Model;
import org.setun.sampling.SamplingParameters;

/** What an engine says of its model's work: by request, whatever runs beside it, and all together. */
@Timeout(120)
final class EngineActivityTest {

    private static final String PEER = "src/test/resources/golden/composed-tiny/peer-block-topk";
    private static final int COMPLETION = 6;

    @ParameterizedTest
    @ValueSource(
            strings = {PEER, "src/test/resources/golden/bitnet-tiny-packed", "src/main/resources/models/setun-fairy"})
    void aRequestsActivityIsTheSameAloneAndAmongOthers(String checkpoint) throws Exception {
        List<Activity> alone = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            try (Model model = load(checkpoint, 1);
                    Engine engine = engine(model, 1, 64)) {
                alone.addAll(run(engine, List.of(request(model, i))));
            }
        }
        try (Model model = load(checkpoint, 3);
                Engine engine = engine(model, 6, 16)) {
            List<TokenRequest> requests =
                    IntStream.range(0, 6).mapToObj(i -> request(model, i)).toList();
            List<Activity> together = run(engine, requests);

            assertThat(together).isEqualTo(alone);
            for (int i = 0; i < 6; i++) {
                assertThat(together.get(i).tokens()).isEqualTo(requests.get(i).prompt().length + COMPLETION - 1);
            }
            Activity total = engine.activity().total();
            List<ToLongFunction<SiteCounts>> sums = List.of(
                    SiteCounts::elements,
                    SiteCounts::zeros,
                    SiteCounts::denseOperations,
                    SiteCounts::additions,
                    SiteCounts::multiplications);
            assertThat(total.tokens())
                    .isEqualTo(together.stream().mapToLong(Activity::tokens).sum());
            for (int site = 0; site < engine.activity().sites(); site++) {
                int at = site;
                for (ToLongFunction<SiteCounts> sum : sums) {
                    assertThat(sum.applyAsLong(total.sites().get(site)))
                            .isEqualTo(together.stream()
                                    .mapToLong(
                                            each -> sum.applyAsLong(each.sites().get(at)))
                                    .sum());
                }
            }
            assertThat(total.sites())
                    .anySatisfy(site -> assertThat(site.zeros()).isPositive());
            assertThat(total.sites())
                    .allSatisfy(site -> assertThat(site.readBytes() > 0)
                            .isEqualTo(!site.site().equals("attention")));
            assertThat(engine.activity().running()).isEmpty();
            assertThat(together)
                    .contains(engine.activity().last("").orElseThrow().activity());
            assertThat(engine.activity().readBytesPerSecond()).isPositive();
        }
    }

    @Test
    void expertsAreCountedByLayerAndRequest() throws Exception {
        try (Model model = load(PEER, 2);
                Engine engine = engine(model, 6, 16)) {
            List<Activity> requests = run(
                    engine,
                    IntStream.range(0, 6).mapToObj(i -> request(model, i)).toList());

            List<ExpertUsage> experts = engine.activity().experts();
            assertThat(experts).extracting(ExpertUsage::layer).containsExactly(0, 2);
            for (int i = 0; i < experts.size(); i++) {
                int layer = i;
                ExpertUsage usage = experts.get(i);
                long lookups = requests.stream()
                        .mapToLong(each -> each.experts().get(layer).lookups())
                        .sum();
                assertThat(usage.lookups()).isPositive().isEqualTo(lookups);
                assertThat(usage.activated()).isPositive().isLessThanOrEqualTo(lookups);
                assertThat(usage.top(usage.count()).stream()
                                .mapToLong(ExpertUsage.Use::lookups)
                                .sum())
                        .isEqualTo(lookups);
                assertThat(usage.distinct(Duration.ofHours(1)))
                        .isEqualTo(usage.spread().used())
                        .isEqualTo(usage.top(usage.count()).size());
                assertThat(usage.spread().entropy()).isBetween(0.1, 1.0);
                long hits =
                        IntStream.range(0, usage.topK()).mapToLong(usage::hits).sum();
                assertThat(hits).isBetween(1L, lookups / usage.topK());
                for (Activity request : requests) {
                    Activity.LayerExperts own = request.experts().get(i);
                    assertThat(own.layer()).isEqualTo(usage.layer());
                    assertThat(own.count()).isEqualTo(usage.count());
                    assertThat(own.distinct())
                            .isPositive()
                            .isLessThanOrEqualTo(usage.spread().used());
                    assertThat(own.lookups() % request.tokens()).isZero();
                }
            }
        }
    }

    @Test
    void aRunningRequestIsSeenAndNobodyWhoDidNotAskIsTold() throws Exception {
        try (Model model = load(PEER, 1)) {
            List<Activity> seen = new ArrayList<>();
            EngineObserver observer = new EngineObserver() {
                @Override
                public void requestComputed(Activity activity) {
                    seen.add(activity);
                }
            };
            CompletableFuture<List<RequestActivity>> running = new CompletableFuture<>();
            CompletableFuture<EngineEvent.Finished> finished = new CompletableFuture<>();
            try (Engine engine = new Engine(model, settings(2, 16), observer)) {
                TokenRequest request =
                        new TokenRequest("mine", new int[] {1, 2, 3}, 4, SamplingParameters.GREEDY, Set.of());
                engine.submit(request, event -> {
                    if (event instanceof EngineEvent.Token) {
                        running.complete(engine.activity().running());
                    }
                    if (event instanceof EngineEvent.Finished end) {
                        finished.complete(end);
                    }
                });

                assertThat(running.get(60, TimeUnit.SECONDS)).singleElement().satisfies(each -> {
                    assertThat(each.id()).isEqualTo("mine");
                    assertThat(each.activity().tokens()).isEqualTo(3);
                    assertThat(each.activity().sites().getLast().denseOperations())
                            .isPositive();
                });
                assertThat(finished.get(60, TimeUnit.SECONDS).activity()).isNull();
                assertThat(seen)
                        .containsExactly(
                                engine.activity().last("").orElseThrow().activity());
                assertThat(seen.getFirst().tokens()).isEqualTo(6);
            }
        }
    }

    @Test
    void aRequestForSparsityHasIt() throws Exception {
        try (Model model = load("src/main/resources/models/setun-fairy", 1);
                Engine engine = engine(model, 2, 16)) {
            List<Activity> both =
                    run(engine, List.of(request(model, 0), request(model, 0).withActivationSparsity(0.9)));

            assertThat(zeroFraction(both.get(1))).isCloseTo(0.9, within(0.02));
            assertThat(zeroFraction(both.get(0))).isLessThan(0.6);
        }
    }

    private static double zeroFraction(Activity activity) {
        return (double) activity.sites().stream().mapToLong(SiteCounts::zeros).sum()
                / activity.sites().stream().mapToLong(SiteCounts::elements).sum();
    }

    private static Model load(String checkpoint, int threads) throws Exception {
        LoadOptions options = new LoadOptions(KeyValueFormat.F32, OptionalDouble.of(0.9), HeadMode.SCREENED);
        return ModelLoader.load(
                        Path.of(checkpoint), KernelSelection.select("auto", threads), options, LoadProgress.NONE)
                .model();
    }

    private static Engine engine(Model model, int maxSequences, int maxBatchTokens) {
        return new Engine(model, settings(maxSequences, maxBatchTokens), EngineObserver.NONE);
    }

    private static EngineSettings settings(int maxSequences, int maxBatchTokens) {
        return Settings.of(100, maxSequences, maxBatchTokens, 64 << 20, Duration.ofSeconds(20));
    }

    private static TokenRequest request(Model model, int number) {
        Random random = new Random(number);
        int vocabSize = model.dimensions().vocabSize();
        int[] prompt = random.ints(1 + number * 7, 0, vocabSize).toArray();
        return new TokenRequest(
                "request " + number,
                prompt,
                new Ending(COMPLETION, Set.of()),
                SamplingParameters.GREEDY,
                new Details(OptionalInt.empty(), OptionalInt.empty(), false, true),
                Urgency.NORMAL,
                number % 3 == 2 ? 0.8 : 0);
    }

    private static List<Activity> run(Engine engine, List<TokenRequest> requests) throws Exception {
        List<CompletableFuture<@Nullable Activity>> ends = new ArrayList<>();
        for (TokenRequest request : requests) {
            CompletableFuture<@Nullable Activity> end = new CompletableFuture<>();
            ends.add(end);
            engine.submit(request, event -> {
                switch (event) {
                    case EngineEvent.Finished finished -> end.complete(finished.activity());
                    case EngineEvent.Failed failed -> end.completeExceptionally(failed.cause());
                    case EngineEvent.Token token -> {}
                    case EngineEvent.PromptScores scores -> throw new AssertionError(scores);
                    case EngineEvent.Embedding embedding -> throw new AssertionError(embedding);
                }
            });
        }
        List<Activity> activities = new ArrayList<>();
        for (CompletableFuture<@Nullable Activity> end : ends) {
            activities.add(end.get(60, TimeUnit.SECONDS));
        }
        return activities;
    }
}
