package org.setun.cli.load;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests and reads their streams, each on the thread that asks for it, of which there may be many: a virtual one for each
 * request.
 */
final class LoadClient implements AutoCloseable {

    private static final int OK = 200;
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int MOST_ERROR_BYTES = 4096;
    private static final double MILLIS = 1e3;
    private static final String DONE = "[DONE]";

    private final HttpClient http;
    private final URI target;
    private final Optional<String> apiKey;
    private final Duration timeout;
    private final ScheduledThreadPoolExecutor deadlines;

    LoadClient(HttpClient http, LoadPlan plan) {
        this.http = http;
        this.target = URI.create(plan.server() + plan.endpoint().path());
        this.apiKey = plan.apiKey();
        this.timeout = plan.timeout();
        this.deadlines = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("setun-load-deadlines").factory());
        deadlines.setRemoveOnCancelPolicy(true);
    }

    /** Sends {@code body}, reads the answer to its end, and returns what became of it. */
    Outcome send(String body, long intended) {
        Thread reader = Thread.currentThread();
        AtomicBoolean expired = new AtomicBoolean();
        // The client's own timeout ends with the response's head.
        ScheduledFuture<?> deadline = deadlines.schedule(
                () -> {
                    expired.set(true);
                    reader.interrupt();
                },
                timeout.toNanos(),
                TimeUnit.NANOSECONDS);
        long sent = System.nanoTime();
        try {
            return answer(body, intended, sent);
        } catch (FailedRequestException e) {
            boolean late = expired.get();
            return new Outcome.Failed(
                    intended,
                    sent,
                    System.nanoTime(),
                    late ? FailedRequestException.TIMEOUT : e.kind(),
                    late
                            ? "no whole answer within " + timeout.toMillis() / MILLIS + " s"
                            : String.valueOf(e.getMessage()));
        } finally {
            deadline.cancel(false);
        }
    }

    private Outcome answer(String body, long intended, long sent) throws FailedRequestException {
        HttpResponse<InputStream> response;
        try {
            response = http.send(request(body), HttpResponse.BodyHandlers.ofInputStream());
        } catch (IOException e) {
            throw new FailedRequestException(FailedRequestException.CONNECTION, reason(e));
        } catch (InterruptedException e) {
            throw new FailedRequestException(FailedRequestException.CONNECTION, "interrupted");
        }
        try (InputStream stream = response.body()) {
            return switch (response.statusCode()) {
                case OK -> {
                    requireEvents(response);
                    yield read(stream, intended, sent);
                }
                case TOO_MANY_REQUESTS -> {
                    // Read, so that the connection can be used again.
                    stream.readNBytes(MOST_ERROR_BYTES);
                    yield new Outcome.Rejected(intended, sent, System.nanoTime());
                }
                default ->
                    throw new FailedRequestException(
                            "status_" + response.statusCode(),
                            Chunk.reason(new String(stream.readNBytes(MOST_ERROR_BYTES), StandardCharsets.UTF_8)));
            };
        } catch (IOException e) {
            throw new FailedRequestException(FailedRequestException.BROKEN_STREAM, reason(e));
        }
    }

    private HttpRequest request(String body) {
        HttpRequest.Builder builder = HttpRequest.newBuilder(target)
                .header("Content-Type", "application/json")
                .header("Accept", "text/event-stream")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        apiKey.ifPresent(key -> builder.header("Authorization", "Bearer " + key));
        return builder.build();
    }

    private static void requireEvents(HttpResponse<?> response) throws FailedRequestException {
        String type = response.headers().firstValue("Content-Type").orElse("no content type");
        if (!type.startsWith("text/event-stream")) {
            throw FailedRequestException.malformed("expected text/event-stream, found " + type);
        }
    }

    private static Outcome read(InputStream stream, long intended, long sent)
            throws IOException, FailedRequestException {
        SseReader events = new SseReader(stream);
        LongStream.Builder gaps = LongStream.builder();
        long first = 0;
        long last = 0;
        int texts = 0;
        OptionalInt promptTokens = OptionalInt.empty();
        OptionalInt cachedTokens = OptionalInt.empty();
        OptionalInt outputTokens = OptionalInt.empty();
        for (@Nullable String data = events.next(); data != null; data = events.next()) {
            long now = System.nanoTime();
            if (data.equals(DONE)) {
                drain(events);
                return new Outcome.Completed(
                        intended,
                        sent,
                        first == 0 ? now : first,
                        first == 0 ? now : last,
                        now,
                        gaps.build().toArray(),
                        promptTokens.orElse(0),
                        cachedTokens.orElse(0),
                        outputTokens.orElse(texts),
                        outputTokens.isPresent());
            }
            Chunk chunk = Chunk.parse(data);
            if (chunk.hasText()) {
                texts++;
                if (first == 0) {
                    first = now;
                } else {
                    gaps.add(now - last);
                }
                last = now;
            }
            promptTokens = chunk.promptTokens().isPresent() ? chunk.promptTokens() : promptTokens;
            cachedTokens = chunk.cachedTokens().isPresent() ? chunk.cachedTokens() : cachedTokens;
            outputTokens = chunk.outputTokens().isPresent() ? chunk.outputTokens() : outputTokens;
        }
        throw new FailedRequestException(
                FailedRequestException.BROKEN_STREAM, "the stream ended without [DONE], after " + texts + " texts");
    }

    /** Reads what follows the end, which is nothing but the body's own end: the connection can then be used again. */
    private static void drain(SseReader events) {
        try {
            while (events.next() != null) {
                // Nothing of it is part of the answer.
            }
        } catch (IOException | FailedRequestException e) {
            // The answer is whole; the next request gets another connection.
        }
    }

    /** Returns what happened, in words: the client's exceptions often have none. */
    static String reason(IOException e) {
        String message = e.getMessage();
        if (message != null && !message.isBlank()) {
            return message;
        }
        return e instanceof ConnectException
                ? "the connection was refused"
                : e.getClass().getSimpleName();
    }

    @Override
    public void close() {
        deadlines.shutdownNow();
    }
}
