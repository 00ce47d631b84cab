package org.setun.engine;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.setun.model.StateLayout;

/**
 * The full pages of keys and values that a {@link PrefixCache} holds, by all tokens up to their last one, in the order of their last
 * use. For the engine thread, but for {@link #seems}.
 */
final class KnownPages {

    /** The page that the last of {@code count} tokens fill. */
    private record Filled(int[] tokens, int count, double activationSparsity, Page page) {}

    private final StateLayout layout;
    private final StatePool pool;
    private final TokenArrays arrays;
    private final Map<Long, Filled> pages = new LinkedHashMap<>(16, 0.75f, true);
    // The same keys, for other threads.
    private final Set<Long> hashes = ConcurrentHashMap.newKeySet();

    KnownPages(StateLayout layout, StatePool pool, TokenArrays arrays) {
        this.layout = layout;
        this.pool = pool;
        this.arrays = arrays;
    }

    /** Returns the known ones of the first {@code count} pages of a text, up to the first that is not. */
    List<Page> find(Prefix prefix, int count) {
        List<Page> known = new ArrayList<>();
        int[] compared = null;
        for (int i = 0; i < count; i++) {
            // Of the array that the page before belongs to, all up to there has been compared.
            Filled filled = filled(prefix, i, compared);
            if (filled == null) {
                break;
            }
            compared = filled.tokens();
            known.add(filled.page());
        }
        use(prefix, known.size());
        return known;
    }

    // The same array, and not only one with the same tokens.
    @SuppressWarnings("ReferenceEquality")
    private @Nullable Filled filled(Prefix prefix, int index, int @Nullable [] compared) {
        int end = (index + 1) * layout.pageTokens();
        Filled filled = pages.get(prefix.hash(end));
        if (filled == null
                || filled.count() != end
                || filled.activationSparsity() != prefix.activationSparsity()
                || !prefix.matches(filled.tokens(), filled.tokens() == compared ? end - layout.pageTokens() : 0, end)) {
            return null;
        }
        return filled;
    }

    /** Uses the first page last: without it the others are worth nothing. */
    private void use(Prefix prefix, int count) {
        for (int end = count * layout.pageTokens(); end > 0; end -= layout.pageTokens()) {
            pages.get(prefix.hash(end));
        }
    }

    /** Holds those of the first {@code count} pages of a text that are not known, and returns whether there are any. */
    // The same page, and not only one with the same tokens.
    @SuppressWarnings("ReferenceEquality")
    boolean keep(Prefix prefix, int count, List<Page> ofText) {
        boolean news = false;
        for (int i = count - 1; i >= 0; i--) {
            int end = (i + 1) * layout.pageTokens();
            Page page = ofText.get(i);
            Filled known = pages.get(prefix.hash(end));
            if (known == null) {
                page.hold();
                hashes.add(prefix.hash(end));
                put(prefix, end, page);
                news = true;
            } else if (known.page() == page) {
                // A conversation's pages compare with its last text alone, and not each with that of its own turn.
                put(prefix, end, page);
                arrays.drop(known.tokens());
            }
        }
        return news;
    }

    private void put(Prefix prefix, int end, Page page) {
        arrays.hold(prefix.array());
        pages.put(prefix.hash(end), new Filled(prefix.array(), end, prefix.activationSparsity(), page));
    }

    /** Gives up the page used longest ago that no sequence shares; false if there is none. */
    boolean evict() {
        return evict(false);
    }

    /** Forgets the page used longest ago, which sequences that share it go on to hold; false if there is none. */
    boolean forget() {
        return evict(true);
    }

    private boolean evict(boolean shared) {
        for (Iterator<Map.Entry<Long, Filled>> eldest = pages.entrySet().iterator(); eldest.hasNext(); ) {
            Map.Entry<Long, Filled> entry = eldest.next();
            Filled filled = entry.getValue();
            if (shared || !filled.page().isShared()) {
                hashes.remove(entry.getKey());
                eldest.remove();
                arrays.drop(filled.tokens());
                pool.release(filled.page());
                return true;
            }
        }
        return false;
    }

    /** Returns how many pages {@link #evict} could give up. */
    long evictable() {
        return pages.values().stream()
                .filter(filled -> !filled.page().isShared())
                .count();
    }

    int size() {
        return pages.size();
    }

    /** Returns whether a page seems to be known whose tokens up to its last one have this number. Any thread. */
    boolean seems(long hash) {
        return hashes.contains(hash);
    }
}
