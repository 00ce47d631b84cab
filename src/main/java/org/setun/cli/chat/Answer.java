package org.setun.cli.chat;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.setun.engine.EngineRejectedException;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Generator;
import org.setun.generation.InvalidPromptException;
import org.setun.generation.Usage;

/**
 * An answer that has ended.
 *
 * @param text what was shown
 * @param reason why it ended
 * @param usage how many tokens were read and written
 * @param firstNanos the time from the question to the first text
 * @param totalNanos the time from the question to the end
 */
record Answer(String text, FinishReason reason, Usage usage, long firstNanos, long totalNanos) {

    private static final double NANOS = 1e9;

    /**
     * Has a request answered and shows the answer as it comes; an interrupt ends it. The engine's thread only queues what it
     * makes, so that a terminal that has been stopped does not stop the engine.
     *
     * @throws AnswerFailedException if the request is refused, or generating fails
     */
    static Answer show(Generator generator, GenerationRequest request, ChatConsole console)
            throws AnswerFailedException, InterruptedException {
        // Before the request starts, which may take a while: there is no moment in which an interrupt is lost.
        Interrupt interrupt = new Interrupt();
        ChatConsole.Interruption interruption = console.onInterrupt(interrupt::happened);
        try {
            BlockingQueue<GenerationEvent> events = new LinkedBlockingQueue<>();
            long asked = System.nanoTime();
            interrupt.started(generator.start(request, events::add));
            return show(events, asked, console);
        } catch (EngineRejectedException | InvalidPromptException | IllegalArgumentException e) {
            throw new AnswerFailedException(String.valueOf(e.getMessage()), e);
        } finally {
            interruption.end();
        }
    }

    private static Answer show(BlockingQueue<GenerationEvent> events, long asked, ChatConsole console)
            throws AnswerFailedException, InterruptedException {
        StringBuilder text = new StringBuilder();
        long first = 0;
        while (true) {
            switch (events.take()) {
                case GenerationEvent.Prompt unasked -> {}
                case GenerationEvent.Text more -> {
                    if (text.isEmpty()) {
                        first = System.nanoTime() - asked;
                    }
                    text.append(more.text());
                    console.answer(more.text());
                }
                case GenerationEvent.Finished finished -> {
                    return new Answer(
                            text.toString(), finished.reason(), finished.usage(), first, System.nanoTime() - asked);
                }
                case GenerationEvent.Failed failed -> {
                    if (!text.isEmpty()) {
                        console.endAnswer();
                    }
                    throw new AnswerFailedException("the answer failed: " + failed.cause(), failed.cause());
                }
            }
        }
    }

    /** Cancels a request when the user interrupts, even if that comes before the request has started. */
    private static final class Interrupt {

        private boolean happened;
        private Generator.@Nullable Handle request;

        synchronized void happened() {
            happened = true;
            if (request != null) {
                request.cancel();
            }
        }

        synchronized void started(Generator.Handle started) {
            request = started;
            if (happened) {
                started.cancel();
            }
        }
    }

    /** Returns a line on how fast this was. */
    String speed() {
        return "%d prompt tokens, %d generated in %.2f s, the first text after %.2f s: %.1f tokens/s"
                .formatted(
                        usage.promptTokens(),
                        usage.completionTokens(),
                        totalNanos / NANOS,
                        firstNanos / NANOS,
                        usage.completionTokens() / (totalNanos / NANOS));
    }
}
