package org.setun;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.architecture.HeadMode;
import org.setun.architecture.LoadOptions;
import org.setun.architecture.LoadProgress;
import org.setun.architecture.ModelLoader;
import org.setun.engine.Details;
import org.setun.engine.Ending;
import org.setun.engine.Engine;
import org.setun.engine.EngineEvent;
import org.setun.engine.EngineObserver;
import org.setun.engine.EngineSettings;
import org.setun.engine.EngineSettings.BatchLimits;
import org.setun.engine.EngineSettings.MemoryLimits;
import org.setun.engine.EngineSettings.QueueLimits;
import org.setun.engine.TokenRequest;
import org.setun.engine.Urgency;
import org.setun.kernel.KernelSelection;
import org.setun.model.KeyValueFormat;
import org.setun.model.Model;
import org.setun.sampling.SamplingParameters;

/**
 * The same request gives the same tokens and log probabilities, bit for bit, alone and among others, on any number of threads, in
 * any chunks, with and without the prefix cache: the promise of the README, kept by real checkpoints of all families.
 */
@Timeout(300)
final class AnswerInvarianceTest {

    private static final int OTHERS = 31;

    /** What may not matter. */
    private record Setting(int threads, int maxSequences, int maxBatchTokens, double maxSlowdown, long cache) {}

    private static final List<Setting> SETTINGS = List.of(
            new Setting(1, 32, 32, 1e9, 0),
            new Setting(1, 32, 100, 2, 64 << 20),
            new Setting(2, 8, 17, 1e9, 64 << 20),
            new Setting(2, 32, 128, 3, 0),
            new Setting(4, 32, 47, 1e9, 1 << 20),
            new Setting(4, 5, 128, 1.5, 64 << 20));

    static Stream<String> checkpoints() {
        return Stream.of(
                "src/main/resources/models/setun-fairy",
                "src/test/resources/golden/mmfree-tiny/f32",
                "src/test/resources/golden/bitnet-tiny-packed",
                "src/test/resources/golden/composed-tiny/peer-block-topk");
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void aRequestDoesNotDependOnWhatRunsBesideItNorOnHow(String checkpoint) throws Exception {
        List<EngineEvent.Token> alone;
        try (Model model = load(checkpoint, 1)) {
            Setting setting = new Setting(1, 1, 64, 2, 0);
            alone = run(model, setting, List.of(requests(model).getFirst())).getFirst();
        }
        assertThat(alone)
                .hasSize(24)
                .allSatisfy(token -> assertThat(token.score()).isNotNull());
        for (Setting setting : SETTINGS) {
            try (Model model = load(checkpoint, setting.threads())) {
                List<TokenRequest> requests = requests(model);
                // Twice in one engine: the second time much is in the cache.
                List<TokenRequest> twice = new ArrayList<>(requests);
                twice.addAll(requests);
                List<List<EngineEvent.Token>> answers = run(model, setting, twice);
                assertThat(answers.get(0)).as("%s", setting).isEqualTo(alone);
                assertThat(answers.get(OTHERS + 1)).as("%s, again", setting).isEqualTo(alone);
            }
        }
    }

    private static Model load(String checkpoint, int threads) throws Exception {
        LoadOptions options = new LoadOptions(KeyValueFormat.F32, OptionalDouble.empty(), HeadMode.AUTO);
        return ModelLoader.load(
                        Path.of(checkpoint), KernelSelection.select("auto", threads), options, LoadProgress.NONE)
                .model();
    }

    /** Returns the request in question and the others, some of which begin with its prompt. */
    private static List<TokenRequest> requests(Model model) {
        int vocabSize = model.dimensions().vocabSize();
        Random random = new Random(20261128);
        int[] prompt = random.ints(70, 0, vocabSize).toArray();
        List<TokenRequest> requests = new ArrayList<>();
        requests.add(request("the one", prompt, 24, OptionalInt.of(3), 4711));
        for (int i = 1; i <= OTHERS; i++) {
            int[] beginning = i % 3 == 0 ? Arrays.copyOf(prompt, random.nextInt(71)) : new int[0];
            int[] own = random.ints(1 + random.nextInt(40), 0, vocabSize).toArray();
            int[] joined = IntStream.concat(Arrays.stream(beginning), Arrays.stream(own))
                    .toArray();
            OptionalInt scores = i % 4 == 0 ? OptionalInt.of(1) : OptionalInt.empty();
            requests.add(request("other " + i, joined, 1 + random.nextInt(12), scores, i));
        }
        return requests;
    }

    private static TokenRequest request(String id, int[] prompt, int maxTokens, OptionalInt scores, long seed) {
        return new TokenRequest(
                id,
                prompt,
                new Ending(maxTokens, Set.of()),
                new SamplingParameters(0.9, 0, seed % 2 == 0 ? 1 : 0.95, OptionalLong.of(seed)),
                new Details(scores, OptionalInt.empty(), false),
                Urgency.NORMAL,
                0);
    }

    private static List<List<EngineEvent.Token>> run(Model model, Setting setting, List<TokenRequest> requests)
            throws Exception {
        EngineSettings settings = new EngineSettings(
                new QueueLimits(1000, 1_000_000),
                new BatchLimits(setting.maxSequences(), setting.maxBatchTokens(), setting.maxSlowdown()),
                new MemoryLimits(64 << 20, setting.cache()),
                Duration.ofSeconds(60));
        try (Engine engine = new Engine(model, settings, EngineObserver.NONE)) {
            List<CompletableFuture<List<EngineEvent.Token>>> answers = new ArrayList<>();
            for (TokenRequest request : requests) {
                CompletableFuture<List<EngineEvent.Token>> answer = new CompletableFuture<>();
                List<EngineEvent.Token> tokens = new ArrayList<>();
                answers.add(answer);
                engine.submit(request, event -> {
                    switch (event) {
                        case EngineEvent.Token token -> tokens.add(token);
                        case EngineEvent.Finished finished -> answer.complete(tokens);
                        case EngineEvent.Failed failed -> answer.completeExceptionally(failed.cause());
                        case EngineEvent.PromptScores scores -> throw new AssertionError(scores);
                        case EngineEvent.Embedding embedding -> throw new AssertionError(embedding);
                    }
                });
            }
            List<List<EngineEvent.Token>> all = new ArrayList<>();
            for (CompletableFuture<List<EngineEvent.Token>> answer : answers) {
                all.add(answer.get(120, TimeUnit.SECONDS));
            }
            return all;
        }
    }
}
