package org.setun.engine;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.setun.model.SequenceState;
import org.setun.model.StateLayout;

/** What a running sequence holds of a {@link StatePool}: a slot, and pages as its tokens come. For the engine thread. */
final class SequenceMemory {

    private final StatePool pool;
    private final StateLayout layout;
    private final MemorySegment slot;
    private final List<Page> pages = new ArrayList<>();
    private @Nullable SequenceState state;

    /** Takes a slot, which must be free, for an empty sequence. */
    SequenceMemory(StatePool pool, StateLayout layout) {
        this.pool = pool;
        this.layout = layout;
        this.slot = pool.takeSlot();
    }

    /** Adds a page that others hold too; the sequence may not write to it. */
    void share(Page page) {
        page.hold();
        add(page);
    }

    /** Takes pages until there is room for {@code tokens} tokens, and returns whether there is; those taken stay. */
    boolean grow(int tokens) {
        while (pages.size() < layout.pages(tokens)) {
            Page page = pool.takePage();
            if (page == null) {
                return false;
            }
            add(page);
        }
        return true;
    }

    private void add(Page page) {
        pages.add(page);
        pool.entered(page);
        state = null;
    }

    /** Returns how many tokens there is room for. */
    int tokens() {
        return layout.pageBytes() == 0 ? Integer.MAX_VALUE : pages.size() * layout.pageTokens();
    }

    MemorySegment slot() {
        return slot;
    }

    List<Page> pages() {
        return pages;
    }

    /** Returns the memory as the model takes it; another one after more pages have come. */
    SequenceState state() {
        if (state == null) {
            state = new SequenceState(slot, pages.stream().map(Page::memory).toList());
        }
        return state;
    }

    /** Gives everything back. Nothing may be asked of this object afterwards. */
    void free() {
        pool.giveBack(slot);
        pages.forEach(pool::left);
        pages.forEach(pool::release);
        pages.clear();
    }
}
