package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Keeps what the API tells its observer. */
final class RecordingObserver implements RequestObserver {

    /** What a test expects of a request's end. */
    record End(String endpoint, boolean stream, Outcome outcome) {}

    private final BlockingQueue<Ended> ended = new LinkedBlockingQueue<>();
    private final AtomicInteger rateLimited = new AtomicInteger();
    private final AtomicInteger openStreams = new AtomicInteger();
    private final BlockingQueue<Duration> firstTexts = new LinkedBlockingQueue<>();

    @Override
    public void firstText(Duration sinceArrival) {
        firstTexts.add(sinceArrival);
    }

    @Override
    public void requestEnded(Ended end) {
        ended.add(end);
    }

    @Override
    public void rateLimited() {
        rateLimited.incrementAndGet();
    }

    @Override
    public void unread() {}

    @Override
    public void submitted(String endpoint, Map<String, Object> attributes, List<String> ids) {}

    @Override
    public void refused(List<String> ids) {}

    @Override
    public void streamOpened() {
        openStreams.incrementAndGet();
    }

    @Override
    public void streamClosed() {
        openStreams.decrementAndGet();
    }

    void clear() {
        rateLimited.set(0);
        ended.clear();
        firstTexts.clear();
    }

    /** Waits for the end of a request, passing over those of earlier tests, which come when they like. */
    End endOf(String requestId) throws InterruptedException {
        Ended end = ended.poll(10, TimeUnit.SECONDS);
        while (end != null && !end.requestId().equals(requestId)) {
            end = ended.poll(10, TimeUnit.SECONDS);
        }
        assertThat(end).as("the end of request %s", requestId).isNotNull();
        return new End(end.endpoint(), end.stream(), end.outcome());
    }

    int timesRateLimited() {
        return rateLimited.get();
    }

    int openStreams() {
        return openStreams.get();
    }

    int firstTexts() {
        return firstTexts.size();
    }
}
