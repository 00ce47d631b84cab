package org.setun.engine;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.model.Chunk;
import org.setun.model.StateLayout;

/**
 * Decides what each step runs. In the order of its {@link WaitingLine} a sequence waits for a slot and for pages for all tokens that
 * it has, and takes more pages as it generates. In a step every sequence with one pending token advances, then prompts fill
 * what {@link PrefillBudget} gives them, so that a long prompt is read in chunks beside streams that never miss a step. Where pages
 * run out, the sequence that comes last by priority and arrival loses its memory and waits again with all its tokens: computing them anew
 * gives the same, and what others do not need meanwhile is still in the {@link PrefixCache}.
 *
 * <p>For the engine thread only; knows neither the model nor the clock.
 */
final class Scheduler {

    /**
     * What a sequence does in a step.
     *
     * @param generates whether it only follows its last token, and does not read of what {@link PrefillBudget} gives
     */
    record Scheduled(Sequence sequence, Chunk chunk, boolean generates) {}

    /**
     * What a step may run.
     *
     * @param maxTokens of all sequences; at least as many as there are slots
     * @param maxLogitRows of all sequences; at least as many as there are slots
     * @param vocabSize that of the model
     */
    record StepLimits(int maxTokens, int maxLogitRows, int vocabSize) {}

    private final StatePool pool;
    private final StateLayout layout;
    private final Forks forks;
    private final PrefixCache cache;
    private final StateKeeping keeping;
    private final PrefillBudget prefillBudget;
    private final StepLimits limits;
    private final WaitingLine waiting = new WaitingLine();
    private final Parked parked = new Parked();
    private final ArrayList<Sequence> running = new ArrayList<>();
    private long arrivals;

    Scheduler(
            StatePool pool,
            StateLayout layout,
            Forks forks,
            PrefixCache cache,
            StateKeeping keeping,
            PrefillBudget prefillBudget,
            StepLimits limits) {
        this.pool = pool;
        this.layout = layout;
        this.forks = forks;
        this.cache = cache;
        this.keeping = keeping;
        this.prefillBudget = prefillBudget;
        this.limits = limits;
    }

    /** Queues a sequence that has just arrived. */
    void add(Sequence sequence) {
        sequence.arrivedAs(arrivals++);
        forks.arrived(sequence);
        waiting.add(sequence);
    }

    /** Gives free memory to the sequences that come first, and returns those that got some. */
    List<Sequence> admit() {
        parked.released().forEach(waiting::add);
        List<Sequence> admitted = new ArrayList<>();
        for (Sequence sequence = waiting.first(); sequence != null && pool.free() > 0; sequence = waiting.first()) {
            Sequence reader = forks.reader(sequence);
            if (reader != null) {
                park(sequence, reader, reader.promptTokens() - 1);
                continue;
            }
            Forks.Fork fork = forks.find(sequence);
            PrefixCache.Hit hit = fork == null ? cache.find(sequence, sequence.mayBeKnown()) : fork.hit();
            if (fork == null && awaitReader(sequence, hit.tokens())) {
                continue;
            }
            if (!hasRoom(sequence, hit, fork)) {
                if (!running.isEmpty()) {
                    break;
                }
                // Nobody will give memory back, and what is known of the sequence may take the place of the sequence
                // itself.
                hit = PrefixCache.Hit.NONE;
                fork = null;
                while (!hasRoom(sequence, hit, fork) && forks.evict()) {}
                if (!hasRoom(sequence, hit, fork)) {
                    break;
                }
            }
            if (!start(sequence, hit, fork)) {
                break;
            }
            waiting.remove(sequence);
            running.add(sequence);
            running.sort(Sequence.ORDER);
            admitted.add(sequence);
        }
        return admitted;
    }

    private boolean hasRoom(Sequence sequence, PrefixCache.Hit hit, Forks.@Nullable Fork fork) {
        int needed = layout.pages(sequence.totalTokens()) - hit.pages().size();
        // What a fork holds is not the cache's to give up, and so has not been counted there.
        PrefixCache.Hit cached = fork == null ? hit : PrefixCache.Hit.NONE;
        return needed <= pool.freePages() || needed <= pool.freePages() + cache.evictablePages(cached);
    }

    /** Gives a sequence its memory, with what is known; false if there is none. */
    private boolean start(Sequence sequence, PrefixCache.Hit hit, Forks.@Nullable Fork fork) {
        SequenceMemory memory = new SequenceMemory(pool, layout);
        boolean restored = false;
        try {
            restored = cache.restore(hit, memory);
        } finally {
            if (!restored) {
                memory.free();
            }
        }
        if (!restored) {
            return false;
        }
        if (fork != null) {
            sequence.inherit(fork.scores());
        } else if (!sequence.timeline().started()) {
            sequence.pauseAt(cache.started(sequence, hit));
        }
        sequence.start(memory, hit.tokens());
        if (!sequence.timeline().started()) {
            waiting.served(sequence, sequence.pendingTokens());
        }
        forks.started(sequence);
        return true;
    }

    /**
     * Lets a sequence wait for another one that is about to read much of what it begins with. Only for one that comes first in the
     * order, and so goes on whoever else arrives.
     */
    private boolean awaitReader(Sequence sequence, int known) {
        if (!cache.isEnabled() || sequence.mayBeKnown() == 0) {
            return false;
        }
        for (Sequence other : running) {
            if (Sequence.ORDER.compare(other, sequence) < 0
                    && !other.isSuspected()
                    && other.activationSparsity() == sequence.activationSparsity()) {
                int shared = sequence.prefix().common(other.prefix(), sequence.mayBeKnown());
                int read = Math.min(shared, other.promptTokens() - 1);
                if (shared - known >= StateKeeping.LONG_PROMPT && other.computedTokens() < read) {
                    park(sequence, other, read);
                    return true;
                }
            }
        }
        return false;
    }

    private void park(Sequence sequence, Sequence reader, int tokens) {
        waiting.remove(sequence);
        parked.add(sequence, reader, tokens);
    }

    /** Returns a sequence that waits for memory although nothing runs that could give any back; null if there is none. */
    @Nullable
    Sequence stuck() {
        return running.isEmpty() && pool.free() > 0 ? waiting.first() : null;
    }

    /** Returns the sequences that run, after a step for which there was no memory at all. */
    List<Sequence> starved() {
        return List.copyOf(running);
    }

    /** Returns the chunks of the next step, one a sequence at most; empty if nothing runs. */
    List<Scheduled> schedule() {
        for (Sequence sequence : running) {
            if (sequence.isSuspected()) {
                return alone(sequence);
            }
        }
        List<Scheduled> step = fill();
        while (step.isEmpty() && running.size() > 1) {
            preempt(running.getLast());
            step = fill();
        }
        return step;
    }

    private List<Scheduled> alone(Sequence sequence) {
        List<Scheduled> step = new ArrayList<>();
        while (!cache.makeRoom(sequence.memory(), sequence.computedTokens() + 1) && running.size() > 1) {
            preempt(running.getLast() == sequence ? running.getFirst() : running.getLast());
        }
        addPrompt(step, sequence, limits.maxTokens(), limits.maxLogitRows());
        return step;
    }

    private List<Scheduled> fill() {
        List<Scheduled> step = new ArrayList<>(running.size());
        // Those that lose their memory are behind the one that needs it.
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            if (sequence.pendingTokens() == 1 && canGenerate(sequence)) {
                step.add(new Scheduled(sequence, sequence.nextChunk(1, limits.vocabSize()), true));
            }
        }
        // Every sequence has a row of logits to itself; what is left is for prompts that want more.
        int rows = limits.maxLogitRows() - running.size() + 1;
        int decoding = step.size();
        int budget = limits.maxTokens() - decoding;
        budget = budget == 0 ? 0 : prefillBudget.tokens(decoding, budget);
        for (Sequence sequence : running) {
            if (sequence.pendingTokens() > 1 && budget > 0) {
                Chunk chunk = addPrompt(step, sequence, budget, rows);
                budget -= chunk == null ? 0 : chunk.tokens().length;
                rows -= chunk == null ? 0 : Math.max(0, chunk.logitRows() - 1);
            }
        }
        return step;
    }

    private boolean canGenerate(Sequence sequence) {
        while (!cache.makeRoom(sequence.memory(), sequence.totalTokens())) {
            Sequence last = running.getLast();
            if (last == sequence) {
                return false;
            }
            preempt(last);
        }
        return true;
    }

    /** Adds as many pending tokens of a sequence as there is room for; null if that is none. */
    private @Nullable Chunk addPrompt(List<Scheduled> step, Sequence sequence, int budget, int rows) {
        int end = sequence.computedTokens() + Math.min(budget, sequence.pendingTokens());
        if (sequence.wantsAllRows()) {
            end = Math.min(end, sequence.computedTokens() + rows);
        }
        end = keeping.endOfChunk(sequence, end);
        if (!cache.makeRoom(sequence.memory(), end)) {
            end = Math.min(end, sequence.memory().tokens());
        }
        if (end <= sequence.computedTokens()) {
            return null;
        }
        Chunk chunk = sequence.nextChunk(end - sequence.computedTokens(), limits.vocabSize());
        step.add(new Scheduled(sequence, chunk, false));
        return chunk;
    }

    /** Takes all memory from a sequence, which then waits again. */
    private void preempt(Sequence sequence) {
        keeping.keep(sequence);
        release(sequence);
        waiting.add(sequence);
    }

    /** Makes sequences that were in a failed step wait again, with nothing of what the step left, and then run alone. */
    void suspect(List<Sequence> sequences) {
        for (Sequence sequence : sequences) {
            release(sequence);
            sequence.suspected(true);
            waiting.add(sequence);
        }
    }

    /** Notes that a token was generated. */
    void generated(Sequence sequence) {
        waiting.served(sequence, 1);
    }

    /** Returns all sequences, those that run first. */
    List<Sequence> all() {
        List<Sequence> all = new ArrayList<>(running);
        all.addAll(waiting.all());
        all.addAll(parked.all());
        return all;
    }

    /** Forgets a sequence and frees its memory. */
    void remove(Sequence sequence) {
        forks.ended(sequence);
        if (sequence.hasMemory()) {
            release(sequence);
        } else {
            waiting.remove(sequence);
            parked.remove(sequence);
        }
    }

    private void release(Sequence sequence) {
        SequenceMemory memory = sequence.releaseMemory();
        if (memory != null) {
            memory.free();
        }
        running.remove(sequence);
    }

    boolean isEmpty() {
        return running.isEmpty() && waiting.isEmpty() && parked.isEmpty();
    }

    /** Returns the sequences that run; a view of what changes. */
    List<Sequence> runningSequences() {
        return Collections.unmodifiableList(running);
    }

    int running() {
        return running.size();
    }
}
