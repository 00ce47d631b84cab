package org.setun;

import java.time.Duration;
import org.setun.engine.Engine;
import org.setun.engine.EngineStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Lets running requests finish when the server is told to stop. It is stopped before the web server, by its phase: for
 * as long as the engine drains, readiness says no, new requests get status 503, and running streams go on; those that
 * take too long end with an error that says so. What is left to the web server is to send it.
 */
@Component
final class EngineShutdown implements SmartLifecycle {

    private static final Logger log = LoggerFactory.getLogger(EngineShutdown.class);

    private final Engine engine;
    private final Duration drainTimeout;
    private volatile boolean running;

    EngineShutdown(Engine engine, SetunProperties properties) {
        this.engine = engine;
        this.drainTimeout = properties.engine().drainTimeout();
    }

    @Override
    public int getPhase() {
        return DEFAULT_PHASE;
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        EngineStatus status = engine.status();
        if (status.running() + status.waiting() > 0) {
            log.info(
                    "Shutting down: {} running and {} waiting requests may go on for {} s",
                    status.running(),
                    status.waiting(),
                    drainTimeout.toSeconds());
        }
        engine.close();
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
