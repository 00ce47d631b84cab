package org.setun.engine;

import org.setun.model.StateLayout;

/**
 * Decides which states of sequences are remembered in the {@link PrefixCache} and beyond, and so where chunks end: at the end of a
 * prompt, where prompts part, at some places on the way of a long one, and where an answer ends. For the engine thread.
 */
final class StateKeeping {

    /** A prompt from which on the state before its last token is remembered, for a second one: that costs it a step more. */
    static final int LONG_PROMPT = 64;

    /** Less is not worth remembering, nor waiting for. */
    private static final int WORTH_KEEPING = 16;

    private final StateLayout layout;
    private final Forks forks;
    private final PrefixCache cache;
    private final SecondTier secondTier;

    StateKeeping(StateLayout layout, Forks forks, PrefixCache cache, SecondTier secondTier) {
        this.layout = layout;
        this.forks = forks;
        this.cache = cache;
        this.secondTier = secondTier;
    }

    /** Returns where a chunk ends that could go on to {@code end}: where the state may help others. */
    int endOfChunk(Sequence sequence, int end) {
        for (int place : new int[] {sequence.pausesAt(), beforeLast(sequence)}) {
            if (sequence.computedTokens() < place && place < end) {
                return place;
            }
        }
        return end;
    }

    /** Returns where the state helps one who asks the same, now or again; 0 for nowhere. */
    private int beforeLast(Sequence sequence) {
        boolean helps = cache.isEnabled()
                && layout.recurrentBytes() > 0
                && sequence.promptTokens() >= LONG_PROMPT
                && !sequence.request().details().embedding();
        return helps || forks.areAwaited(sequence) ? sequence.promptTokens() - 1 : 0;
    }

    /** Remembers a sequence's state where that is worth it, after a step. */
    void computed(Sequence sequence) {
        int count = sequence.computedTokens();
        // A token after a state that is remembered another one is hardly worth its memory.
        boolean end = count == sequence.promptTokens()
                && (layout.recurrentBytes() == 0 || sequence.keptTokens() < sequence.promptTokens() - 1);
        boolean place = end
                || count == sequence.promptTokens() - 1
                || count == sequence.pausesAt()
                || count - sequence.keptTokens() >= KeptPlaces.DISTANCE;
        if (!place || count > sequence.promptTokens() || !keep(sequence)) {
            return;
        }
        if (isForOthers(sequence)) {
            secondTier.save(sequence, count, sequence.memory());
        } else {
            cache.thin(sequence, sequence.keptPlaces().add(count));
        }
    }

    /** Returns whether another prompt may well go on where this one is now: at its end, or where others have parted from it. */
    private boolean isForOthers(Sequence sequence) {
        int end = layout.recurrentBytes() > 0 ? sequence.promptTokens() - 1 : sequence.promptTokens();
        return sequence.computedTokens() == end || sequence.computedTokens() == sequence.pausesAt();
    }

    /** Remembers the state of a sequence that is about to end well: who goes on with its text begins there. */
    void ending(Sequence sequence) {
        if (!sequence.hasMemory()) {
            return;
        }
        cache.ending(sequence);
        if (keep(sequence)) {
            secondTier.save(sequence, sequence.computedTokens(), sequence.memory());
        }
    }

    /** Remembers a sequence's state, and returns whether it was not known. */
    boolean keep(Sequence sequence) {
        if (sequence.computedTokens() < WORTH_KEEPING || sequence.isSuspected()) {
            return false;
        }
        boolean news = cache.keep(sequence, sequence.computedTokens(), sequence.memory());
        sequence.kept();
        return news;
    }
}
