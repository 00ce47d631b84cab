package org.setun.web;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/**
 * Has Netty watch every buffer while the tests of a class run, and fails the class if one was collected that nobody released. {@link
 * NettyLeaksTest} shows that a leak is found.
 */
final class NettyLeaks implements BeforeEachCallback, AfterAllCallback {

    private static final Pattern NO_ACCESS = Pattern.compile("Recent access records:\\s*Created at:");

    private final Logger logger = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);
    private final ListAppender<ILoggingEvent> reports = new ListAppender<>();
    private final ResourceLeakDetector.Level before = ResourceLeakDetector.getLevel();

    @Override
    public void beforeEach(ExtensionContext context) {
        watch();
    }

    /** Watches from now on. Before each test, since a Spring context that starts forgets all appenders. */
    void watch() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        reports.start();
        logger.addAppender(reports);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        requireNone(stop());
    }

    /** Fails if there are leaks. */
    static void requireNone(List<String> leaks) {
        if (!leaks.isEmpty()) {
            throw new AssertionError("buffers that nobody released: " + leaks);
        }
    }

    /** Stops watching, and returns what Netty says of buffers that nobody released. */
    List<String> stop() {
        for (int i = 0; i < 5; i++) {
            // Collected buffers are found when the next one is allocated, once the collector has told of them.
            System.gc();
            for (int j = 0; j < 20; j++) {
                LockSupport.parkNanos(1_000_000);
                ByteBufAllocator.DEFAULT.buffer().release();
            }
        }
        logger.detachAppender(reports);
        ResourceLeakDetector.setLevel(before);
        return reports.list.stream()
                .map(ILoggingEvent::getFormattedMessage)
                .filter(leak -> !neverLookedAt(leak))
                .toList();
    }

    /**
     * Tells whether a buffer was made by the transport to receive into, and no handler has read it, as the HTTP codec reads all that
     * reaches it. Such a one was reported once; whether it was the server's or a test's client's is not known.
     */
    private static boolean neverLookedAt(String leak) {
        return leak.contains("RecvByteBufAllocator") && NO_ACCESS.matcher(leak).find();
    }
}
