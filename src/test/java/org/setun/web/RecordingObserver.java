package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Keeps what the API tells its observer. */
final class RecordingObserver implements RequestObserver {

    /** The end of a request. */
    record Ended(String endpoint, boolean stream, Outcome outcome) {}

    private final BlockingQueue<Ended> ended = new LinkedBlockingQueue<>();
    private final BlockingQueue<Duration> firstTexts = new LinkedBlockingQueue<>();

    @Override
    public void firstText(Duration sinceArrival) {
        firstTexts.add(sinceArrival);
    }

    @Override
    public void requestEnded(String endpoint, boolean stream, Outcome outcome, Duration duration) {
        ended.add(new Ended(endpoint, stream, outcome));
    }

    void clear() {
        ended.clear();
        firstTexts.clear();
    }

    Ended nextEnd() throws InterruptedException {
        Ended end = ended.poll(10, TimeUnit.SECONDS);
        assertThat(end).as("the end of a request").isNotNull();
        return end;
    }

    int firstTexts() {
        return firstTexts.size();
    }
}
