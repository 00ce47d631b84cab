package org.setun.engine;

import java.util.Optional;

/**
 * Keeps states outside of the engine, so that a conversation can go on in another process. It serves one model: what it returns was
 * saved by an engine of the same one. It may lose anything at any time, which costs the engine the computing; it never makes a
 * request fail. Thread-safe.
 */
public interface PrefixStore extends AutoCloseable {

    /** Keeps nothing. */
    PrefixStore NONE = new PrefixStore() {
        @Override
        public boolean accepts(long bytes) {
            return false;
        }

        @Override
        public void save(StoredPrefix prefix) {}

        @Override
        public Optional<StoredPrefix> find(Wanted wanted) {
            return Optional.empty();
        }

        @Override
        public void close() {}
    };

    /**
     * What is looked for: a beginning of {@code prompt}.
     *
     * @param prompt the tokens; not copied, and not to be changed
     * @param activationSparsity the activation sparsity that the state must have been computed with
     * @param least the fewest tokens that are of use
     * @param most the most tokens that are of use, no more than the prompt has
     */
    record Wanted(int[] prompt, double activationSparsity, int least, int most) {}

    /** Returns whether {@link #save} would take a state of {@code bytes} bytes now. Returns at once. */
    boolean accepts(long bytes);

    /** Takes a state to keep it. Returns at once, and may drop the state. */
    void save(StoredPrefix prefix);

    /**
     * Returns the state of the longest beginning that can be had soon. May take as long as a request may wait for it, and so is not
     * for the engine's thread or one of the web's event loops.
     */
    Optional<StoredPrefix> find(Wanted wanted);

    /** Saves what was taken, for a few seconds at most, and frees everything. The engine is closed before. Idempotent. */
    @Override
    void close();
}
