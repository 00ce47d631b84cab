package org.setun.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The body of a response, taken buffer by buffer on the caller's thread. Unlike an input stream of the JDK's client it
 * gives up when nothing arrives for a while, so that a peer that vanished does not hold a download for ever.
 */
final class BodyStream implements Flow.Subscriber<List<ByteBuffer>>, AutoCloseable {

    /** What the client's threads hand over: buffers, the end, or a failure. */
    private sealed interface Signal {

        record Data(List<ByteBuffer> buffers) implements Signal {}

        record End() implements Signal {}

        record Failure(Throwable cause) implements Signal {}
    }

    private final Duration patience;
    private final LinkedBlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    private final Queue<ByteBuffer> buffers = new ArrayDeque<>();
    private volatile Flow.@Nullable Subscription subscription;
    private volatile boolean closed;
    private boolean ended;

    /**
     * Creates a stream that awaits its publisher.
     *
     * @param patience how long nothing may arrive
     */
    BodyStream(Duration patience) {
        this.patience = patience;
    }

    /**
     * Returns the next bytes, or null after the last.
     *
     * @throws IOException if the connection broke or stands still
     */
    @Nullable
    ByteBuffer next() throws IOException, InterruptedException {
        while (buffers.isEmpty()) {
            if (ended) {
                return null;
            }
            @Nullable Signal signal = signals.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
            switch (signal) {
                case null -> throw new IOException("nothing came for " + patience.toSeconds() + " s");
                case Signal.Data data -> {
                    buffers.addAll(data.buffers());
                    request();
                }
                case Signal.End end -> ended = true;
                case Signal.Failure failure -> throw new IOException(reason(failure.cause()), failure.cause());
            }
        }
        return buffers.remove();
    }

    private static String reason(Throwable cause) {
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        this.subscription = subscription;
        if (closed) {
            subscription.cancel();
        } else {
            subscription.request(1);
        }
    }

    private void request() {
        Flow.@Nullable Subscription current = subscription;
        if (current != null) {
            current.request(1);
        }
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        signals.add(new Signal.Data(item));
    }

    @Override
    public void onError(Throwable throwable) {
        signals.add(new Signal.Failure(throwable));
    }

    @Override
    public void onComplete() {
        signals.add(new Signal.End());
    }

    /** Gives up what has not been taken; the connection ends unless the body has been taken to its end. */
    @Override
    public void close() {
        closed = true;
        Flow.@Nullable Subscription current = subscription;
        if (current != null && !ended) {
            current.cancel();
        }
    }
}
