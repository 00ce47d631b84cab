package org.setun.web;

import java.util.ArrayList;
import java.util.List;

/** What is to be cleaned up when a request ends, in whatever way and on whatever thread. Thread-safe. */
final class RequestEnd {

    private final List<Runnable> actions = new ArrayList<>();
    private boolean ended;

    /** Has {@code action} run when the request ends; at once if it has ended, as its client may go while it is being started. */
    void run(Runnable action) {
        synchronized (this) {
            if (!ended) {
                actions.add(action);
                return;
            }
        }
        action.run();
    }

    /** Ends the request. */
    void ended() {
        List<Runnable> all;
        synchronized (this) {
            ended = true;
            all = List.copyOf(actions);
            actions.clear();
        }
        all.forEach(Runnable::run);
    }
}
