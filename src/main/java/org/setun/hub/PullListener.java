package org.setun.hub;

import java.time.Duration;

/** Is told how a pull goes on, on the thread that pulls. */
public interface PullListener {

    /** Wants to know nothing. */
    PullListener NONE = new PullListener() {
        @Override
        public void progress(Progress progress) {}

        @Override
        public void retrying(String what, String reason, Duration wait) {}

        @Override
        public void removed(String file) {}
    };

    /**
     * How far a pull is, in bytes, those that an earlier one had fetched included.
     *
     * @param file the file that is being fetched
     */
    record Progress(String file, long fileDone, long fileTotal, long done, long total) {}

    /** Bytes have come. */
    void progress(Progress progress);

    /**
     * A request failed and will be made again.
     *
     * @param what the file or the address
     * @param reason what happened, as a clause
     * @param wait how long from now
     */
    void retrying(String what, String reason, Duration wait);

    /** A file that an earlier pull had fetched is gone, since the model has it no more. */
    void removed(String file);
}
