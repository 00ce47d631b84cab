package org.setun;

import org.setun.architecture.LoadProgress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs how far loading has come, once a second: a small model says nothing, a large one does not look stuck. */
final class LoadLog implements LoadProgress {

    private static final Logger log = LoggerFactory.getLogger(LoadLog.class);

    private static final long INTERVAL_NANOS = 1_000_000_000;
    private static final long MEBI = 1 << 20;

    private final String name;
    private long lastNanos = System.nanoTime();

    LoadLog(String name) {
        this.name = name;
    }

    @Override
    public void update(String tensor, long doneBytes, long totalBytes) {
        long now = System.nanoTime();
        if (now - lastNanos >= INTERVAL_NANOS) {
            lastNanos = now;
            log.info(
                    "Loading {}: {} of {} MiB ({} %)",
                    name, doneBytes / MEBI, totalBytes / MEBI, totalBytes == 0 ? 100 : 100 * doneBytes / totalBytes);
        }
    }
}
