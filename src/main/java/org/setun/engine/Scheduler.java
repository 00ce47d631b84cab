package org.setun.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.model.Chunk;
import org.setun.model.SequenceState;

/**
 * Decides what each step runs. First come, first served: a sequence waits until there is memory for all the tokens that it
 * may come to have, and then keeps it to its end. In a step every sequence with one pending token advances, then prompts fill the rest of the token budget in
 * their order of arrival, so that a long prompt is read in chunks beside streams that never miss a step.
 *
 * <p>For the engine thread only; knows neither the model nor the clock.
 */
final class Scheduler {

    /** What a sequence does in a step. */
    record Scheduled(Sequence sequence, Chunk chunk) {}

    private final StatePool pool;
    private final int maxBatchTokens;
    private final int maxLogitRows;
    private final int vocabSize;
    private final ArrayDeque<Sequence> waiting = new ArrayDeque<>();
    private final ArrayList<Sequence> running = new ArrayList<>();

    /** Creates a scheduler; both maxima are at least the number of the pool's slots. */
    Scheduler(StatePool pool, int maxBatchTokens, int maxLogitRows, int vocabSize) {
        this.pool = pool;
        this.maxBatchTokens = maxBatchTokens;
        this.maxLogitRows = maxLogitRows;
        this.vocabSize = vocabSize;
    }

    /** Puts a sequence at the end of the queue. */
    void add(Sequence sequence) {
        waiting.add(sequence);
    }

    /** Gives free memory to the sequences that have waited longest, and returns those sequences. */
    List<Sequence> admit() {
        List<Sequence> admitted = new ArrayList<>();
        while (!waiting.isEmpty() && pool.fits(waiting.element().maxComputedTokens())) {
            Sequence sequence = waiting.element();
            sequence.start(pool.acquire(sequence.maxComputedTokens()));
            waiting.remove();
            running.add(sequence);
            admitted.add(sequence);
        }
        return admitted;
    }

    /** Returns a sequence that waits for memory although nothing runs that could give any back; null if there is none. */
    @Nullable
    Sequence stuck() {
        Sequence first = waiting.peek();
        boolean stuck = first != null && running.isEmpty() && !pool.fits(first.maxComputedTokens());
        return stuck ? first : null;
    }

    /** Returns the chunks of the next step, one a sequence at most; empty if nothing runs. */
    List<Scheduled> schedule() {
        List<Scheduled> step = new ArrayList<>(running.size());
        int budget = maxBatchTokens;
        // Every sequence has a row of logits to itself; what is left is for prompts that want more.
        int freeRows = maxLogitRows - running.size() + 1;
        for (Sequence sequence : running) {
            if (sequence.pendingTokens() == 1) {
                step.add(new Scheduled(sequence, sequence.nextChunk(1, vocabSize)));
                budget--;
            }
        }
        for (Sequence sequence : running) {
            if (sequence.pendingTokens() > 1 && budget > 0) {
                Chunk chunk =
                        sequence.nextChunk(sequence.wantsAllRows() ? Math.min(budget, freeRows) : budget, vocabSize);
                freeRows -= Math.max(0, chunk.logitRows() - 1);
                step.add(new Scheduled(sequence, chunk));
                budget -= chunk.tokens().length;
            }
        }
        return step;
    }

    /** Returns the sequences that their owners want to end, wherever they are. */
    List<Sequence> endRequested() {
        List<Sequence> ending = new ArrayList<>();
        for (Sequence sequence : all()) {
            if (sequence.requestedEnd() != null) {
                ending.add(sequence);
            }
        }
        return ending;
    }

    /** Forgets a sequence and frees its slot. Returns whether it had one. */
    boolean remove(Sequence sequence) {
        SequenceState state = sequence.releaseState();
        if (state == null) {
            waiting.remove(sequence);
            return false;
        }
        running.remove(sequence);
        pool.release(state);
        return true;
    }

    /** Returns all sequences, in order of arrival. */
    List<Sequence> all() {
        List<Sequence> all = new ArrayList<>(running);
        all.addAll(waiting);
        return all;
    }

    boolean isEmpty() {
        return running.isEmpty() && waiting.isEmpty();
    }

    int running() {
        return running.size();
    }
}
