package org.setun.hub;

import java.time.Duration;

/**
 * Decides how often and after what wait a request is made again: as long as there is progress without end, and without any
 * a few times, with waits that double from a second, or as long as the server asks.
 */
final class Retries {

    private static final Duration FIRST_WAIT = Duration.ofSeconds(1);
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(10);

    private final String what;
    private final int limit;
    private final Pause pause;
    private final PullListener listener;
    private int fruitless;

    /**
     * Creates the retries of one file.
     *
     * @param what the file or the address, for messages
     * @param limit the failures without progress after which to give up
     */
    Retries(String what, int limit, Pause pause, PullListener listener) {
        this.what = what;
        this.limit = limit;
        this.pause = pause;
        this.listener = listener;
    }

    /** Notes that bytes have come. */
    void progressed() {
        fruitless = 0;
    }

    /**
     * Waits until the request may be made again.
     *
     * @throws HubException if it has failed too often, or the server asks to wait too long
     */
    void failed(TransientException failure) throws HubException, InterruptedException {
        if (++fruitless > limit) {
            throw new HubException(
                    what + ": " + failure.getMessage() + ", and " + limit
                            + " more times without progress; check the network"
                            + " and pull again, which goes on from here",
                    failure);
        }
        Duration wait = failure.retryAfter().orElse(FIRST_WAIT.multipliedBy(1L << (fruitless - 1)));
        if (wait.compareTo(LONGEST_WAIT) > 0) {
            throw new HubException(
                    what + ": " + failure.getMessage() + " and asks to wait " + wait.toSeconds()
                            + " s; pull again then, which goes on from here",
                    failure);
        }
        listener.retrying(what, String.valueOf(failure.getMessage()), wait);
        pause.sleep(wait);
    }
}
