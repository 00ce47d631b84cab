package org.setun.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.VMOption;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.setun.engine.CacheStatus;
import org.setun.engine.Engine;
import org.setun.engine.EngineEvent;
import org.setun.engine.EngineObserver;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.EngineSettings;
import org.setun.engine.EngineSettings.BatchLimits;
import org.setun.engine.EngineSettings.MemoryLimits;
import org.setun.engine.EngineSettings.QueueLimits;
import org.setun.engine.TokenRequest;
import org.setun.model.Model;
import org.setun.sampling.SamplingParameters;

/**
 * Measures what conversations take that nobody goes on with, for {@code bench --conversations}: each is of two turns of random
 * tokens, and stays in a prefix cache without limit. The process's memory is read before and after, with the garbage collected and
 * after as many others were held, and then each conversation goes on with a third turn, which shows that it was there.
 */
final class ConversationBench {

    private static final int QUESTION_TOKENS = 48;
    private static final int ANSWER_TOKENS = 16;

    private static final long UNLIMITED = Long.MAX_VALUE / 4;

    /**
     * What was measured. All bytes are those that came with the conversations.
     *
     * @param model its name
     * @param conversations how many there are
     * @param tokens how many tokens each has
     * @param resumed how many went on from all that had been read of them
     * @param stateBytes what the recurrent state of one sequence takes
     * @param entries what the cache holds
     * @param countedBytes what the cache counts of its own
     * @param heapBytes by how much more of the heap is in use
     * @param residentBytes by how much more memory the process has in RAM, its heap aside, all of which is; null where the system does
     *     not tell, or the heap comes and goes
     */
    record Report(
            String model,
            int conversations,
            int tokens,
            int resumed,
            @JsonProperty("state_bytes") long stateBytes,
            int entries,
            @JsonProperty("counted_bytes") long countedBytes,
            @JsonProperty("heap_bytes") long heapBytes,
            @JsonProperty("resident_bytes") @Nullable Long residentBytes) {

        /** Prints the report for people. */
        void print(PrintWriter out) {
            out.printf("%s: %,d conversations of 2 turns, %d tokens each%n", model, conversations, tokens);
            out.printf("  state of one sequence   %,15d bytes%n", stateBytes);
            if (residentBytes == null) {
                out.println(
                        "  in RAM                  unknown; with JAVA_TOOL_OPTIONS='-Xms1g -Xmx1g -XX:+AlwaysPreTouch' the heap"
                                + " does not come and go, and Linux tells it");
            } else {
                line(out, "in RAM, off the heap", residentBytes);
            }
            line(out, "in use on the heap", heapBytes);
            line(out, "counted by the cache", countedBytes);
            out.printf("  entries in the cache    %,15d%n", entries);
            out.printf("  went on where they were %,15d of %,d%n", resumed, conversations);
        }

        private void line(PrintWriter out, String name, long bytes) {
            out.printf("  %-23s %,15d bytes, %,d a conversation%n", name, bytes, bytes / conversations);
        }
    }

    private final Model model;
    private final Random random = new Random(1);

    ConversationBench(Model model) {
        this.model = model;
    }

    /** Holds the conversations and returns what they take. */
    Report run(String name, int conversations) throws EngineRejectedException {
        EngineSettings settings = new EngineSettings(
                new QueueLimits(Integer.MAX_VALUE, Long.MAX_VALUE),
                BatchLimits.DEFAULTS,
                new MemoryLimits(UNLIMITED, UNLIMITED),
                Duration.ofSeconds(30));
        try (Engine engine = new Engine(model, settings, EngineObserver.NONE)) {
            // As many before, so that compiled code, buffers and the heap's own size are there.
            converse(engine, conversations);
            Memory before = Memory.read(engine);
            List<int[]> held = converse(engine, conversations);
            Memory after = Memory.read(engine);
            int resumed = 0;
            for (Answer answer : turn(engine, held)) {
                // The last token of an answer has not been read, nor is a page kept that is not full.
                int read = answer.asked() - QUESTION_TOKENS - 1;
                int slack = model.stateLayout().recurrentBytes() > 0
                        ? 0
                        : model.stateLayout().pageTokens();
                resumed += answer.cached() >= read - slack ? 1 : 0;
            }
            return new Report(
                    name,
                    conversations,
                    held.getFirst().length,
                    resumed,
                    model.stateLayout().recurrentBytes(),
                    after.cache().entries() - before.cache().entries(),
                    after.cache().bytes() - before.cache().bytes(),
                    after.heap() - before.heap(),
                    added(before.resident(), after.resident()));
        }
    }

    /** Returns whether all of the heap is in RAM all the time: else its ups and downs are larger than what is measured. */
    private static boolean heapIsFixed() {
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        VMOption touched = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .getVMOption("AlwaysPreTouch");
        return heap.getInit() == heap.getMax() && Boolean.parseBoolean(touched.getValue());
    }

    private static @Nullable Long added(@Nullable Long before, @Nullable Long after) {
        return before == null || after == null ? null : after - before;
    }

    private record Memory(
            CacheStatus cache, long heap, @Nullable Long resident) {

        static Memory read(Engine engine) {
            // Twice, as the first collection may only find what the second one frees.
            System.gc();
            System.gc();
            OptionalLong resident = heapIsFixed() ? ResidentMemory.bytes() : OptionalLong.empty();
            return new Memory(
                    engine.cache(),
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                    resident.isPresent() ? resident.getAsLong() : null);
        }
    }

    /** Holds conversations of two turns, and returns their tokens. */
    private List<int[]> converse(Engine engine, int count) throws EngineRejectedException {
        List<int[]> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(new int[0]);
        }
        for (int turn = 0; turn < 2; turn++) {
            texts = turn(engine, texts).stream().map(Answer::text).toList();
        }
        return texts;
    }

    private record Answer(int[] text, int asked, int cached) {}

    /** Asks a question in each conversation, and returns all with their answers. */
    private List<Answer> turn(Engine engine, List<int[]> texts) throws EngineRejectedException {
        int vocabSize = model.dimensions().vocabSize();
        List<CompletableFuture<Answer>> answers = new ArrayList<>();
        for (int[] text : texts) {
            int[] prompt =
                    joined(text, random.ints(QUESTION_TOKENS, 0, vocabSize).toArray());
            CompletableFuture<Answer> answer = new CompletableFuture<>();
            List<Integer> tokens = new ArrayList<>();
            TokenRequest request = new TokenRequest(
                    "conversation-" + answers.size(), prompt, ANSWER_TOKENS, SamplingParameters.GREEDY, Set.of());
            engine.submit(request, event -> {
                switch (event) {
                    case EngineEvent.Token token -> tokens.add(token.id());
                    case EngineEvent.Finished finished ->
                        answer.complete(new Answer(
                                joined(
                                        prompt,
                                        tokens.stream()
                                                .mapToInt(Integer::intValue)
                                                .toArray()),
                                prompt.length,
                                finished.tokens().cached()));
                    case EngineEvent.Failed failed -> answer.completeExceptionally(failed.cause());
                    case EngineEvent.PromptScores unasked -> {}
                    case EngineEvent.Embedding unasked -> {}
                }
            });
            answers.add(answer);
        }
        return answers.stream().map(CompletableFuture::join).toList();
    }

    private static int[] joined(int[] a, int[] b) {
        return IntStream.concat(IntStream.of(a), IntStream.of(b)).toArray();
    }
}
