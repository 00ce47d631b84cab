package org.setun.engine;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.model.StateLayout;
import org.setun.sampling.TokenScore;

/**
 * The states before the last token of prompts that several requests continue, each kept until the last request of its {@link
 * PromptGroup} has started: that one token is all that the others compute of the prompt. At most as many as sequences run at once are kept,
 * so that they take no more memory than those. For the engine thread, which also closes it.
 */
final class Forks implements AutoCloseable {

    /**
     * A state from which others go on.
     *
     * @param tokens how many tokens have been read
     * @param pages the full ones, held
     * @param snapshot the recurrent state, and the page begun
     * @param scores those of the prompt's tokens, if they were wanted
     */
    record Fork(int tokens, List<Page> pages, Snapshot snapshot, List<TokenScore> scores) {

        PrefixCache.Hit hit() {
            return new PrefixCache.Hit(tokens, pages, snapshot);
        }
    }

    private final StateLayout layout;
    private final StatePool pool;
    private final List<PromptGroup> forked = new ArrayList<>();

    Forks(StateLayout layout, StatePool pool) {
        this.layout = layout;
        this.pool = pool;
    }

    /** Notes that a sequence has come. */
    void arrived(Sequence sequence) {
        PromptGroup group = sequence.request().group();
        if (group.isShared()) {
            group.arrived();
        }
    }

    /** Returns the sequence that reads the prompt for another one, which had better wait; null if none does. */
    @Nullable
    Sequence reader(Sequence sequence) {
        PromptGroup group = sequence.request().group();
        return group.isShared() && group.fork() == null ? group.reader() : null;
    }

    /** Returns from where a sequence can begin; null if its prompt has not been read for it. */
    @Nullable
    Fork find(Sequence sequence) {
        Fork fork = sequence.request().group().fork();
        boolean helps = fork != null
                && sequence.completionTokens() == 0
                && fork.snapshot().isOf(sequence.prefix(), sequence.promptTokens() - 1);
        return helps ? fork : null;
    }

    /** Notes that a sequence has got memory. */
    void started(Sequence sequence) {
        PromptGroup group = sequence.request().group();
        if (!group.isShared()) {
            return;
        }
        if (!sequence.timeline().started()) {
            group.started();
        }
        if (group.fork() == null && group.reader() == null) {
            group.readBy(sequence);
        }
        releaseUnawaited(group);
    }

    /** Returns whether a sequence is to stop before the last token of its prompt, as others go on from there. */
    boolean areAwaited(Sequence sequence) {
        PromptGroup group = sequence.request().group();
        return group.isShared() && group.isReader(sequence) && group.isAwaited();
    }

    /** Keeps the state of a sequence for those that go on from it, if it has come so far and there is memory. */
    void computed(Sequence sequence) {
        PromptGroup group = sequence.request().group();
        int count = sequence.promptTokens() - 1;
        if (!areAwaited(sequence) || sequence.computedTokens() != count || sequence.isSuspected()) {
            return;
        }
        List<TokenScore> scores = group.scores();
        boolean told = sequence.request().details().promptScores().isEmpty() || scores.size() == count;
        if (group.fork() == null && told) {
            if (forked.size() >= pool.slots()) {
                evict();
            }
            Snapshot snapshot = copy(sequence, count);
            if (snapshot != null) {
                List<Page> pages = List.copyOf(sequence.memory().pages().subList(0, fullPages(count)));
                pages.forEach(Page::hold);
                group.fork(new Fork(count, pages, snapshot, scores));
                forked.add(group);
            }
        }
    }

    private @Nullable Snapshot copy(Sequence sequence, int count) {
        Page begun = null;
        if (layout.pages(count) > fullPages(count)) {
            begun = pool.takePage();
            if (begun == null) {
                return null;
            }
            begun.memory()
                    .copyFrom(sequence.memory().pages().get(fullPages(count)).memory());
        }
        try {
            return new Snapshot(sequence.prefix(), count, sequence.memory().slot(), begun);
        } catch (OutOfMemoryError e) {
            if (begun != null) {
                pool.release(begun);
            }
            return null;
        }
    }

    private int fullPages(int count) {
        return layout.pageBytes() == 0 ? 0 : count / layout.pageTokens();
    }

    /** Notes that a sequence has ended. */
    void ended(Sequence sequence) {
        PromptGroup group = sequence.request().group();
        if (group.isShared()) {
            if (!sequence.timeline().started()) {
                group.started();
            }
            group.ended();
            releaseUnawaited(group);
        }
    }

    private void releaseUnawaited(PromptGroup group) {
        if (!group.isAwaited() && forked.remove(group)) {
            release(group);
        }
    }

    /** Gives up the eldest state, whose requests then read their prompt anew; false if there is none. */
    boolean evict() {
        if (forked.isEmpty()) {
            return false;
        }
        release(forked.removeFirst());
        return true;
    }

    private void release(PromptGroup group) {
        Fork fork = group.fork();
        group.fork(null);
        if (fork != null) {
            fork.pages().forEach(pool::release);
            if (fork.snapshot().begun() != null) {
                pool.release(fork.snapshot().begun());
            }
            fork.snapshot().close();
        }
    }

    /** Frees all states. */
    @Override
    public void close() {
        while (evict()) {}
    }
}
