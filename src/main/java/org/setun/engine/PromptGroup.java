package org.setun.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.setun.sampling.TokenScore;

/**
 * Names requests that continue the same prompt, such as the choices of one call, so that an engine reads it once: the first of them
 * to run reads it, and the others go on from its state, with or without a prefix cache. All have the same prompt and activation
 * sparsity and want the same scores of the prompt, and go to the same engine; only the engine's thread looks inside.
 */
public final class PromptGroup {

    /** The group of a request that shares its prompt with no other. */
    public static final PromptGroup NONE = new PromptGroup(1);

    private final int size;
    private final List<TokenScore> scores = new ArrayList<>();
    private final AtomicBoolean lookedUp = new AtomicBoolean();
    private int unstarted;
    private int alive;
    private @Nullable Sequence reader;
    private Forks.@Nullable Fork fork;

    /** Creates a group of {@code size} requests, at least 1. */
    public PromptGroup(int size) {
        if (size < 1) {
            throw new IllegalArgumentException("size: expected 1 or more, found " + size);
        }
        this.size = size;
        this.unstarted = size;
    }

    boolean isShared() {
        return size > 1;
    }

    /** Returns whether a {@link PrefixStore} is to be asked for the prompt, which it is once. Any thread. */
    boolean isToBeLookedUp() {
        return !isShared() || lookedUp.compareAndSet(false, true);
    }

    /** Counts a request that has come. */
    void arrived() {
        alive++;
    }

    /** Counts a request that has got its first place in the engine, or ends without. */
    void started() {
        unstarted--;
    }

    /** Counts a request that has ended. */
    void ended() {
        alive--;
    }

    /** Returns whether one of the requests may still go on from what another one has read. */
    boolean isAwaited() {
        return unstarted > 0 && alive > 0;
    }

    /** Returns the request that reads the prompt before its last token; null if none does. */
    @Nullable
    Sequence reader() {
        boolean reads = reader != null && reader.hasMemory() && reader.computedTokens() < reader.promptTokens() - 1;
        return reads ? reader : null;
    }

    /** Returns whether {@code sequence} is the last request that began to read the prompt. */
    boolean isReader(Sequence sequence) {
        return reader == sequence;
    }

    /** Notes which request reads the prompt. */
    void readBy(Sequence sequence) {
        if (reader != sequence) {
            scores.clear();
        }
        reader = sequence;
    }

    /** Notes what a request was told of the prompt. */
    void told(Sequence sequence, List<TokenScore> more) {
        if (isShared() && reader == sequence && fork == null) {
            scores.addAll(more);
        }
    }

    /** Returns what the reader was told of the prompt. */
    List<TokenScore> scores() {
        return List.copyOf(scores);
    }

    /** Returns the state from which the others go on; null while there is none. */
    Forks.@Nullable Fork fork() {
        return fork;
    }

    /** Sets the state from which the others go on; null for none any more. */
    void fork(Forks.@Nullable Fork fork) {
        this.fork = fork;
    }
}
