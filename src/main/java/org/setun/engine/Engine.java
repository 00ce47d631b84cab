package org.setun.engine;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.setun.engine.EngineRejectedException.Reason;
import org.setun.model.Model;
import org.setun.model.StateLayout;

/**
 * Runs many sequences at once, step by step, on one thread of its own. All methods may be called from any thread.
 *
 * <p>The model is the caller's, who closes it after the engine. The memory of the running sequences is the engine's.
 */
public final class Engine implements AutoCloseable {

    /** A submitted request. All methods may be called from any thread, and have no effect once the request has ended. */
    public interface Handle {

        /** Ends the request before its next step, with {@link FinishReason#CANCELLED}: nobody wants the answer any more. */
        void cancel();

        /** Ends the request before its next step, with {@link FinishReason#STOP}: the answer is complete. */
        void stop();
    }

    private final EngineSettings settings;
    private final EngineObserver observer;
    private final LongSupplier nanoClock;
    private final int vocabSize;
    private final StateLayout stateLayout;
    private final Inbox inbox;
    private final StepLoop loop;
    private final Thread thread;

    /**
     * Starts an engine.
     *
     * @throws IllegalStateException if there is no memory for {@link EngineSettings.BatchLimits#maxSequences} sequences
     */
    public Engine(Model model, EngineSettings settings, EngineObserver observer) {
        this(model, settings, observer, PrefixStore.NONE);
    }

    /**
     * Starts an engine that keeps states in {@code store} as well, which stays the caller's, who closes it after the engine.
     *
     * @throws IllegalStateException if there is no memory for {@link EngineSettings.BatchLimits#maxSequences} sequences
     */
    public Engine(Model model, EngineSettings settings, EngineObserver observer, PrefixStore store) {
        this(model, settings, observer, store, System::nanoTime);
    }

    /** Starts an engine that measures durations by {@code nanoClock}. */
    Engine(Model model, EngineSettings settings, EngineObserver observer, LongSupplier nanoClock) {
        this(model, settings, observer, PrefixStore.NONE, nanoClock);
    }

    private Engine(
            Model model, EngineSettings settings, EngineObserver observer, PrefixStore store, LongSupplier nanoClock) {
        this.settings = settings;
        this.observer = observer;
        this.nanoClock = nanoClock;
        this.vocabSize = model.dimensions().vocabSize();
        this.stateLayout = model.stateLayout();
        this.inbox = new Inbox(settings.queue().maxRequests(), settings.queue().maxTokens());
        this.loop = new StepLoop(model, settings, inbox, observer, store, nanoClock);
        this.thread = Thread.ofPlatform().name("setun-engine").daemon().unstarted(loop);
        thread.start();
    }

    /**
     * Queues a request. {@code events} receives its tokens and then one end, in order, on the engine thread, and must
     * return at once: every sequence waits for it. If it throws, its own request fails and no other. Events may come
     * before this method returns. Where the engine has a {@link PrefixStore}, this waits for it as long as it may take.
     *
     * @throws EngineRejectedException if too many requests wait, or the engine is draining
     * @throws IllegalArgumentException if a token id of the prompt is outside the vocabulary, or there will never be memory for
     *     so many tokens
     */
    public Handle submit(TokenRequest request, Consumer<EngineEvent> events) throws EngineRejectedException {
        requireKnownTokens(request);
        requireMemory(request);
        long seed = request.sampling().seed().orElseGet(ThreadLocalRandom.current()::nextLong);
        Sequence sequence = new Sequence(request, events, seed, loop.dueEnds(), nanoClock.getAsLong());
        // Who is refused anyway had better hear it at once.
        if (inbox.refusal(sequence).isEmpty() && request.group().isToBeLookedUp()) {
            loop.secondTier().lookUp(sequence);
        }
        Reason refusal = inbox.offer(sequence).orElse(null);
        if (refusal != null) {
            loop.secondTier().release(sequence);
            observer.requestRejected(request.id(), refusal);
            throw switch (refusal) {
                case QUEUE_FULL -> full(refusal, settings.queue().maxRequests() + " requests are waiting already");
                case TOKENS_FULL ->
                    full(
                            refusal,
                            "the prompts that wait, and this one, have more than "
                                    + settings.queue().maxTokens() + " tokens");
                case DRAINING -> draining("the server is shutting down and takes no new requests");
            };
        }
        return sequence.earlyEnd();
    }

    /** Refuses what would otherwise fail the whole batch that it is in. */
    private void requireKnownTokens(TokenRequest request) {
        int[] prompt = request.prompt();
        for (int i = 0; i < prompt.length; i++) {
            if (prompt[i] < 0 || prompt[i] >= vocabSize) {
                throw new IllegalArgumentException(
                        "prompt[" + i + "]: expected a token id from 0 to " + (vocabSize - 1) + ", found " + prompt[i]);
            }
        }
    }

    /** Refuses what would wait for ever. */
    private void requireMemory(TokenRequest request) {
        long tokens =
                (long) request.prompt().length + Math.max(0, request.ending().maxTokens() - 1);
        if (tokens > capacity()) {
            throw new IllegalArgumentException("the prompt's " + request.prompt().length + " tokens and max_tokens "
                    + request.ending().maxTokens() + " need keys and values of " + tokens
                    + " tokens, but all memory for them holds " + capacity());
        }
    }

    /** Returns how many tokens one sequence may have at most, by the memory for keys and values. */
    public long capacity() {
        return stateLayout.pageBytes() == 0
                ? Integer.MAX_VALUE
                : settings.memory().pages() / stateLayout.pageBytes() * stateLayout.pageTokens();
    }

    private EngineRejectedException full(Reason reason, String why) {
        return new EngineRejectedException(
                reason, loop.untilStarted(Math.max(1, inbox.waiting())), "the server is busy: " + why);
    }

    static EngineRejectedException draining(String message) {
        // Behind a load balancer another replica takes the next try, so there is nothing to wait for.
        return new EngineRejectedException(Reason.DRAINING, Duration.ofSeconds(1), message);
    }

    /** Returns the number of token ids that the model knows. */
    public int vocabSize() {
        return vocabSize;
    }

    /** Returns what the engine does now, cheaply. */
    public EngineStatus status() {
        return new EngineStatus(loop.running(), inbox.waiting(), loop.freeSlots(), inbox.accepting());
    }

    /** Returns what the model does, which counts on. */
    public EngineActivity activity() {
        return loop.activity();
    }

    /** Returns how much memory the running sequences take, cheaply. */
    public MemoryStatus memory() {
        int slots = settings.batch().maxSequences();
        long page = stateLayout.pageBytes();
        return new MemoryStatus(
                (slots - loop.freeSlots()) * stateLayout.recurrentBytes(),
                slots * stateLayout.recurrentBytes(),
                loop.usedPages() * page,
                page == 0 ? 0 : settings.memory().pages() / page * page);
    }

    /** Returns what the prefix cache does, cheaply. */
    public CacheStatus cache() {
        return loop.cache();
    }

    /** Takes no new requests from now on; those accepted go on. Returns at once. Idempotent. */
    public void drain() {
        inbox.stopAccepting();
    }

    /**
     * Drains, lets accepted requests finish for at most {@link EngineSettings#drainTimeout}, fails the rest with an
     * {@link EngineRejectedException} of reason {@link Reason#DRAINING}, ends the thread and frees the sequences' memory.
     * An interrupt ends the waiting for requests, not the cleaning up. Idempotent; not to be called by an event consumer.
     */
    @Override
    public void close() {
        if (Thread.currentThread() == thread) {
            throw new IllegalStateException("an event consumer cannot close the engine that called it");
        }
        inbox.stopAccepting();
        boolean interrupted = false;
        try {
            inbox.awaitEmpty(settings.drainTimeout());
        } catch (InterruptedException e) {
            interrupted = true;
        }
        inbox.close();
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        loop.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
