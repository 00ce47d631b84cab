package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.setun.kernel.KernelSelection;
import org.setun.model.Model;
import org.setun.model.RandomModel;
import org.setun.sampling.SamplingParameters;

/** A screened head changes no token of any request, however it is sampled. */
final class ScreenedHeadEngineTest {

    private static final int VOCAB = 4000;
    private static final RandomModel.Shape SHAPE =
            new RandomModel.Shape(VOCAB, 64, 64, 128, 2, RandomModel.Convolution.NONE, true, null);

    @Test
    void tokensAreThoseOfTheExactHead() throws Exception {
        List<TokenRequest> requests = requests(new Random(31));
        List<List<Integer>> exact;
        try (Model model = RandomModel.of(SHAPE, 11, KernelSelection.select("auto", 2))) {
            exact = run(model, requests);
        }
        try (Model model = RandomModel.screened(SHAPE, 11, KernelSelection.select("auto", 2))) {
            assertThat(run(model, requests)).isEqualTo(exact);
        }
    }

    private static List<TokenRequest> requests(Random random) {
        List<TokenRequest> requests = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            // Logits have a deviation of 1: at a temperature of 0.1 a nucleus is small, at 1 it is most of the
            // vocabulary.
            double temperature = random.nextDouble(0.1, 1.2);
            OptionalLong seed = OptionalLong.of(random.nextLong());
            SamplingParameters sampling = switch (i % 5) {
                case 0 -> SamplingParameters.GREEDY;
                case 1 -> new SamplingParameters(temperature, 0, 1, seed);
                case 2 -> new SamplingParameters(temperature, 1 + random.nextInt(60), 1, seed);
                case 3 -> new SamplingParameters(temperature, 5, 0.9, seed);
                default -> new SamplingParameters(temperature, 0, random.nextDouble(0.2, 0.95), seed);
            };
            int[] prompt = random.ints(1 + random.nextInt(20), 0, VOCAB).toArray();
            requests.add(new TokenRequest("request " + i, prompt, 12, sampling, Set.of()));
        }
        return requests;
    }

    private static List<List<Integer>> run(Model model, List<TokenRequest> requests) throws Exception {
        EngineSettings settings = Settings.of(256, 16, 32, 0, Duration.ofSeconds(20));
        try (Engine engine = new Engine(model, settings, EngineObserver.NONE)) {
            List<Recording> recordings = new ArrayList<>();
            for (TokenRequest request : requests) {
                Recording recording = new Recording();
                engine.submit(request, recording);
                recordings.add(recording);
            }
            List<List<Integer>> tokens = new ArrayList<>();
            for (Recording recording : recordings) {
                recording.finished();
                tokens.add(recording.ids());
            }
            return tokens;
        }
    }
}
