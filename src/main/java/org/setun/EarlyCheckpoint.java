package org.setun;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.aot.AbstractAotProcessor;

/**
 * Loads the checkpoint on a thread of its own while Spring prepares everything else, which takes about as long as loading a small
 * model. Who {@link #take takes} it closes it; if nobody does, the application context does.
 */
final class EarlyCheckpoint implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(EarlyCheckpoint.class);

    private final SetunProperties properties;
    private final CompletableFuture<ServedCheckpoint> loading;
    private boolean taken;

    private EarlyCheckpoint(SetunProperties properties) {
        this.properties = properties;
        this.loading = CompletableFuture.supplyAsync(
                () -> ServedCheckpoint.load(properties),
                task -> Thread.ofPlatform().daemon().name("setun-loading").start(task));
    }

    /** Begins to load what the settings name, and leaves it to be found in the context. */
    static final class Initializer implements ApplicationContextInitializer<ConfigurableApplicationContext> {

        @Override
        public void initialize(ConfigurableApplicationContext context) {
            if (Boolean.getBoolean(AbstractAotProcessor.AOT_PROCESSING)
                    || !(context.getBeanFactory() instanceof DefaultListableBeanFactory beans)) {
                return;
            }
            SetunProperties properties;
            try {
                properties = Binder.get(context.getEnvironment()).bindOrCreate("setun", SetunProperties.class);
            } catch (BindException wrong) {
                // Spring will come upon it, too, and knows how to report it.
                return;
            }
            String name = EarlyCheckpoint.class.getName();
            EarlyCheckpoint early = new EarlyCheckpoint(properties);
            beans.registerSingleton(name, early);
            beans.registerDisposableBean(name, early::close);
        }
    }

    /**
     * Waits for the checkpoint. To be called once.
     *
     * @param wanted the settings
     * @throws ModelUnavailableException if it cannot be loaded
     */
    synchronized ServedCheckpoint take(SetunProperties wanted) {
        if (!wanted.equals(properties)) {
            throw new IllegalStateException("expected the settings that loading began with, " + properties + ", found "
                    + wanted + "; a bean changes setun.* too late");
        }
        taken = true;
        try {
            return loading.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof ModelUnavailableException unavailable) {
                throw unavailable;
            }
            throw e;
        }
    }

    /** Closes the checkpoint once it is loaded, unless somebody has taken it. Idempotent. */
    @Override
    public synchronized void close() {
        if (!taken) {
            taken = true;
            try {
                loading.join().close();
            } catch (CompletionException e) {
                log.debug("Nobody waits for a checkpoint that could not be loaded", e);
            }
        }
    }
}
