package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.setun.engine.FinishReason;
import org.setun.web.RequestObserver.Outcome;
import org.setun.web.ScriptedGenerator.Running;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;

/**
 * What happens when a client goes away, or stays and does not read. The generator writes nothing after the disconnect:
 * cancelling must not wait for a write to fail, so that a sequence ends before the engine's next step.
 */
@ApiTest
@ExtendWith(NettyLeaks.class)
final class DisconnectTest {

    private final ScriptedGenerator generator;
    private final RecordingObserver observer;
    private final String requestId = "test-" + UUID.randomUUID();
    private final int port;

    DisconnectTest(
            @Autowired ScriptedGenerator generator, @Autowired RecordingObserver observer, @LocalServerPort int port) {
        this.generator = generator;
        this.observer = observer;
        this.port = port;
    }

    @BeforeEach
    void answerByHand() {
        generator.byHand();
        observer.clear();
    }

    @Test
    void aClientThatLeavesAStreamCancelsIt() throws Exception {
        Running running;
        try (RawRequest client = post("{\"prompt\":\"x\",\"stream\":true}")) {
            running = generator.next();
            running.text("Once");
            client.readUntil("\"text\":\"Once\"");
        }

        running.awaitCancelled();
        assertThat(observer.endOf(requestId))
                .isEqualTo(new RecordingObserver.End("completions", true, Outcome.CANCELLED));
    }

    @Test
    void aClientThatLeavesBeforeTheFirstTokenCancelsItsStream() throws Exception {
        Running running;
        try (RawRequest client = post("{\"prompt\":\"x\",\"stream\":true}")) {
            running = generator.next();
            client.readUntil("text/event-stream");
        }

        running.awaitCancelled();
        assertThat(observer.endOf(requestId).outcome()).isEqualTo(Outcome.CANCELLED);
    }

    @Test
    void aClientThatDoesNotWaitForItsAnswerCancelsIt() throws Exception {
        Running running;
        try (RawRequest client = post("{\"prompt\":\"x\"}")) {
            running = generator.next();
            assertThat(client.unread()).isZero();
        }

        running.awaitCancelled();
        assertThat(observer.endOf(requestId))
                .isEqualTo(new RecordingObserver.End("completions", false, Outcome.CANCELLED));
    }

    @Test
    void aClientThatLeavesCancelsAllOfItsPrompts() throws Exception {
        Running second;
        Running third;
        try (RawRequest client = post("{\"prompt\":[\"a\",\"b\",\"c\"],\"stream\":true}")) {
            Running first = generator.next();
            second = generator.next();
            third = generator.next();
            first.finish(FinishReason.STOP, 1, 0);
            client.readUntil("\"finish_reason\":\"stop\"");
        }

        second.awaitCancelled();
        third.awaitCancelled();
        assertThat(observer.endOf(requestId).outcome()).isEqualTo(Outcome.CANCELLED);
    }

    @Test
    void aStreamBeginsBeforeItsFirstToken() throws Exception {
        try (RawRequest client = post("{\"prompt\":\"x\",\"stream\":true}")) {
            Running running = generator.next();

            client.readUntil("text/event-stream");

            running.finish(FinishReason.STOP, 1, 0);
            client.readUntil("[DONE]");
            assertThat(observer.endOf(requestId).outcome()).isEqualTo(Outcome.SUCCESS);
        }
    }

    // The close is noticed by a write, a read or neither, as chance has it.
    @RepeatedTest(20)
    void aReaderThatNeverReadsStopsNeitherTheEngineNorItsCancellation() throws Exception {
        String text = "x".repeat(1000);
        Running running;
        try (RawRequest client = post("{\"prompt\":\"x\",\"stream\":true}")) {
            running = generator.next();

            // Far more than the socket's buffers hold; the test's thread stands for the engine's.
            for (int i = 0; i < 20_000; i++) {
                running.text(text);
            }
            assertThat(running.cancelled()).isNotDone();
            assertThat(client.isClosed()).isFalse();
        }

        running.awaitCancelled();
        assertThat(observer.endOf(requestId).outcome()).isEqualTo(Outcome.CANCELLED);
    }

    @Test
    void aReaderThatIsLateGetsTheWholeText() throws Exception {
        try (RawRequest client = post("{\"prompt\":\"x\",\"stream\":true}")) {
            Running running = generator.next();
            for (int i = 0; i < 20_000; i++) {
                running.text(i + " ");
            }
            running.finish(FinishReason.STOP, 1, 20_000);

            String stream = client.readUntil("[DONE]");

            assertThat(stream).contains("\"text\":\"0 \"", "\"text\":\"10000 \"", "\"text\":\"19999 \"");
            assertThat(observer.endOf(requestId).outcome()).isEqualTo(Outcome.SUCCESS);
            assertThat(stream.split("\"finish_reason\":null", -1)).hasSize(20_001);
        }
    }

    private RawRequest post(String body) throws IOException {
        return new RawRequest(port, requestId, body);
    }
}
