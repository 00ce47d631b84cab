package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.setun.store.Waiting.until;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.kernel.KernelSelection;
import org.setun.model.Attention;
import org.setun.model.Model;
import org.setun.model.RandomModel;
import org.setun.sampling.SamplingParameters;
import org.setun.store.ModelIdentity;
import org.setun.store.RealRedis;

/** Conversations that go on in another engine, by way of a real Redis. */
@Timeout(180)
final class ResumedConversationTest {

    private static final int VOCAB = 97;

    private static RealRedis redis;

    private final ModelIdentity identity = Replica.newIdentity();
    private final Random random = new Random(3);

    /** What a sequence's memory consists of. */
    enum Memory {
        RECURRENT,
        PAGED,
        BOTH
    }

    @BeforeAll
    static void startRedis() {
        redis = RealRedis.start();
    }

    @AfterAll
    static void stopRedis() {
        redis.close();
    }

    private static ScriptedModel model(Memory memory) {
        return switch (memory) {
            case RECURRENT -> new ScriptedModel(VOCAB);
            case PAGED -> ScriptedModel.pagesOnly(VOCAB, batch -> {});
            case BOTH -> ScriptedModel.paged(VOCAB, batch -> {});
        };
    }

    @ParameterizedTest
    @EnumSource(Memory.class)
    void anotherReplicaGoesOnWhereOneEnded(Memory memory) throws Exception {
        ScriptedModel model = model(memory);
        try (Replica one = Replica.connected(model, redis.uri(), identity);
                Replica another = Replica.connected(model, redis.uri(), identity)) {
            List<Replica> replicas = List.of(one, another);
            int[] conversation = prompt(100);
            int known = 0;
            for (int turn = 0; turn < 6; turn++) {
                long saved = one.saved() + another.saved();
                Recording recording = replicas.get(turn % 2).ask(conversation, 30);
                TokenCounts counts = recording.finished().tokens();
                assertThat(recording.ids()).isEqualTo(model.continuation(conversation, 30));
                assertThat(counts.cached()).isBetween(Math.max(0, known - 3), known);
                assertThat(counts.cached() > 0).isEqualTo(turn > 0);
                // From the third turn on a replica knows the turn before the last by itself.
                assertThat(counts.stored()).isEqualTo(counts.cached() - (turn < 2 ? 0 : ownKnowledge(memory, known)));
                until(() -> one.saved() + another.saved() == saved + 2);
                known = conversation.length + 29;
                conversation = next(conversation, recording);
            }
        }
    }

    /** Returns how many tokens were known after the turn before the last. */
    private static int ownKnowledge(Memory memory, int known) {
        int before = known - 50;
        return memory == Memory.PAGED ? before / 4 * 4 : before;
    }

    @ParameterizedTest
    @EnumSource(Memory.class)
    void aRestartedServerGoesOn(Memory memory) throws Exception {
        ScriptedModel model = model(memory);
        int[] conversation = prompt(100);
        int[] next;
        try (Replica before = Replica.connected(model, redis.uri(), identity)) {
            Recording recording = before.ask(conversation, 30);
            recording.finished();
            next = next(conversation, recording);
            // Closed at once: what the store has taken is saved.
        }
        try (Replica after = Replica.connected(model, redis.uri(), identity)) {
            Recording recording = after.ask(next, 30);
            assertThat(recording.finished().tokens().stored()).isBetween(126, 129);
            assertThat(recording.ids()).isEqualTo(model.continuation(next, 30));
            assertThat(after.engine().status().freeSlots()).isEqualTo(4);
        }
    }

    @ParameterizedTest
    @EnumSource(Memory.class)
    void thePromptOfOneIsKnownToTheOthers(Memory memory) throws Exception {
        ScriptedModel model = model(memory);
        int[] prompt = prompt(201);
        try (Replica one = Replica.connected(model, redis.uri(), identity);
                Replica another = Replica.connected(model, redis.uri(), identity)) {
            one.ask(prompt, 1).finished();
            until(() -> one.saved() > 0);
            Recording recording = another.ask(prompt, 5);
            assertThat(recording.finished().tokens().stored()).isEqualTo(200);
            assertThat(recording.ids()).isEqualTo(model.continuation(prompt, 5));
        }
    }

    static Stream<RandomModel.Shape> shapes() {
        return Stream.of(
                new RandomModel.Shape(300, 64, 64, 96, 2, RandomModel.Convolution.SEPARATE, true, null),
                new RandomModel.Shape(
                        300, 48, 48, 72, 2, RandomModel.Convolution.NONE, true, new Attention.Heads(6, 2, 10)));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void aRealModelGivesTheSameTokensAndScores(RandomModel.Shape shape) throws Exception {
        int[] conversation = random.ints(150, 0, 300).toArray();
        try (Model model = RandomModel.of(shape, 11, KernelSelection.select("auto", 2));
                Model sameModel = RandomModel.of(shape, 11, KernelSelection.select("auto", 1));
                Engine alone = new Engine(
                        model, Settings.of(64, 1, 64, 64L << 20, Duration.ofSeconds(20)), EngineObserver.NONE);
                Replica one = Replica.connected(model, redis.uri(), identity);
                Replica another = Replica.connected(sameModel, redis.uri(), identity)) {
            for (int turn = 0; turn < 4; turn++) {
                long saved = one.saved() + another.saved();
                Recording expected = new Recording();
                alone.submit(seeded(conversation), expected);
                expected.finished();
                Recording recording = (turn % 2 == 0 ? one : another).ask(seeded(conversation));
                assertThat(recording.finished().tokens().stored() > 0).isEqualTo(turn > 0);
                assertThat(recording.tokens()).isEqualTo(expected.tokens());
                until(() -> one.saved() + another.saved() == saved + 2);
                conversation = next(conversation, recording);
            }
        }
    }

    @Test
    void anotherModelOrSparsityIsAnotherConversation() throws Exception {
        ScriptedModel model = new ScriptedModel(VOCAB);
        int[] prompt = prompt(150);
        try (Replica one = Replica.connected(model, redis.uri(), identity)) {
            one.ask(prompt, 1).finished();
            until(() -> one.saved() > 0);
        }
        ModelIdentity other = ModelIdentity.of(List.of("other", identity.digest()));
        try (Replica foreign = Replica.connected(model, redis.uri(), other);
                Replica same = Replica.connected(model, redis.uri(), identity)) {
            assertThat(foreign.ask(prompt, 1).finished().tokens().cached()).isZero();
            TokenRequest sparse =
                    new TokenRequest("r", prompt, 1, SamplingParameters.GREEDY, Set.of()).withActivationSparsity(0.5);
            assertThat(same.ask(sparse).finished().tokens().cached()).isZero();
        }
    }

    private int[] prompt(int length) {
        return random.ints(length, 0, VOCAB).toArray();
    }

    /** Returns a conversation with its answer, and 20 tokens more. */
    private int[] next(int[] conversation, Recording answer) {
        return IntStream.concat(
                        IntStream.concat(
                                Arrays.stream(conversation),
                                answer.ids().stream().mapToInt(Integer::intValue)),
                        Arrays.stream(prompt(20)))
                .toArray();
    }

    private static TokenRequest seeded(int[] prompt) {
        return new TokenRequest(
                "r",
                prompt,
                new Ending(30, Set.of()),
                new SamplingParameters(0.8, 0, 0.9, OptionalLong.of(5)),
                new Details(OptionalInt.of(2), OptionalInt.empty(), false),
                Urgency.NORMAL,
                0);
    }
}
