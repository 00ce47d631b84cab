package org.setun.engine;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.setun.model.StateLayout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes states from the {@link PrefixCache} to a {@link PrefixStore} and back. Whatever the store does or throws, the engine goes
 * on without. Saving is for the engine thread; looking up is for the thread that submits a request, which may wait.
 */
final class SecondTier {

    private static final Logger log = LoggerFactory.getLogger(SecondTier.class);

    /** Fewer tokens are read as quickly as their state is fetched. */
    private static final int LEAST_TOKENS = 64;

    /** What is fetched must spare the model so many tokens more than what is in memory. */
    private static final int LEAST_GAIN = 16;

    /** So many bytes of fetched states may wait for the engine thread; who comes then does without. */
    private static final long MAX_WAITING_BYTES = 256L << 20;

    private final PrefixStore store;
    private final StateLayout layout;
    private final PrefixCache cache;
    private final AtomicLong waitingBytes = new AtomicLong();

    SecondTier(PrefixStore store, StateLayout layout, PrefixCache cache) {
        this.store = store;
        this.layout = layout;
        this.cache = cache;
    }

    /** Copies the state of a sequence after its first {@code computed} tokens to the store, if it is long and the store takes it. */
    void save(Sequence sequence, int computed, SequenceMemory memory) {
        int count = layout.recurrentBytes() > 0 ? computed : computed / layout.pageTokens() * layout.pageTokens();
        long bytes = stateBytes(count);
        try {
            if (count < LEAST_TOKENS || bytes > Integer.MAX_VALUE || !store.accepts(bytes)) {
                return;
            }
            store.save(new StoredPrefix(
                    sequence.prefix().slice(0, count),
                    sequence.activationSparsity(),
                    copy(count, (int) bytes, memory)));
        } catch (RuntimeException | OutOfMemoryError e) {
            log.warn("The state of request {} was not saved", sequence.id(), e);
        }
    }

    private byte[] copy(int count, int bytes, SequenceMemory memory) {
        byte[] state = new byte[bytes];
        MemorySegment target = MemorySegment.ofArray(state);
        MemorySegment.copy(memory.slot(), 0, target, 0, layout.recurrentBytes());
        List<Page> pages = memory.pages().subList(0, layout.pages(count));
        for (int i = 0; i < pages.size(); i++) {
            long at = layout.recurrentBytes() + i * layout.pageBytes();
            MemorySegment.copy(pages.get(i).memory(), 0, target, at, layout.pageBytes());
        }
        return state;
    }

    private long stateBytes(int count) {
        return layout.recurrentBytes() + layout.pages(count) * layout.pageBytes();
    }

    /** Looks in the store for more of a sequence's beginning than is in memory, and leaves what it finds with the sequence. */
    void lookUp(Sequence sequence) {
        int most = sequence.mayBeKnown();
        if (!cache.isEnabled() || most < LEAST_TOKENS || waitingBytes.get() >= MAX_WAITING_BYTES) {
            return;
        }
        try {
            int least = Math.max(LEAST_TOKENS, cache.seemsKnown(sequence, most) + LEAST_GAIN);
            if (least > most) {
                return;
            }
            StoredPrefix found = store.find(new PrefixStore.Wanted(
                            sequence.request().prompt(), sequence.activationSparsity(), least, most))
                    .orElse(null);
            if (found != null && fits(sequence, found)) {
                waitingBytes.addAndGet(found.state().length);
                sequence.found(found);
            }
        } catch (RuntimeException | OutOfMemoryError e) {
            log.warn("Nothing was looked up for request {}", sequence.id(), e);
        }
    }

    private boolean fits(Sequence sequence, StoredPrefix found) {
        int count = found.tokens().length;
        return count <= sequence.mayBeKnown()
                && found.activationSparsity() == sequence.activationSparsity()
                && sequence.prefix().matches(found.tokens(), 0, count)
                && (layout.recurrentBytes() > 0 || count % layout.pageTokens() == 0)
                && found.state().length == stateBytes(count);
    }

    /** Lets the memory know what was found for a sequence that has come to the engine thread. */
    void arrived(Sequence sequence) {
        StoredPrefix found = release(sequence);
        if (found == null) {
            return;
        }
        try {
            int known = cache.find(sequence, sequence.mayBeKnown()).tokens();
            cache.adopt(found);
            sequence.adopted(known);
        } catch (RuntimeException | OutOfMemoryError e) {
            log.warn("The state found for request {} was not taken", sequence.id(), e);
        }
    }

    /** Takes from a sequence what was found for it; null if that is nothing. */
    @Nullable
    StoredPrefix release(Sequence sequence) {
        StoredPrefix found = sequence.takeFound();
        if (found != null) {
            waitingBytes.addAndGet(-found.state().length);
        }
        return found;
    }
}
