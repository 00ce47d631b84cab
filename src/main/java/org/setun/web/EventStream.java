package org.setun.web;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;
import org.setun.generation.GenerationEvent;
import org.setun.generation.Usage;
import org.setun.web.AnswerFormat.UsageBody;

/**
 * Writes an answer as server-sent events, byte by byte as OpenAI does: Spring's own writer leaves out the space after
 * {@code data:}, which naive clients need. For one thread at a time.
 */
final class EventStream {

    private static final byte[] EVENT_START = "data: ".getBytes(StandardCharsets.UTF_8);
    private static final byte[] EVENT_END = "\n\n".getBytes(StandardCharsets.UTF_8);
    private static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.UTF_8);

    private final AnswerHead head;
    private final boolean includeUsage;
    private final Function<Throwable, ErrorBody> explain;
    private final AnswerTimings timings;
    private final Usage[] usages;
    private final int choicesPerPrompt;
    private int unended;

    /**
     * Creates the writer.
     *
     * @param numPrompts how many prompts are answered
     * @param choicesPerPrompt how many choices each of them has
     * @param includeUsage whether the stream reports its usage
     * @param timings gathers how long the choices take
     * @param explain gives what the client is told of a failure
     */
    EventStream(
            AnswerHead head,
            int numPrompts,
            int choicesPerPrompt,
            boolean includeUsage,
            AnswerTimings timings,
            Function<Throwable, ErrorBody> explain) {
        this.head = head;
        this.explain = explain;
        this.timings = timings;
        this.usages = new Usage[numPrompts * choicesPerPrompt];
        this.choicesPerPrompt = choicesPerPrompt;
        this.unended = usages.length;
        this.includeUsage = includeUsage;
    }

    /** Returns the bytes that come before any text, which may be none. */
    byte[] opening() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int index = 0; index < usages.length; index++) {
            List<Object> opening = head.format().opening(index);
            if (!opening.isEmpty()) {
                chunk(out, opening);
            }
        }
        return out.toByteArray();
    }

    /**
     * Returns the bytes of {@code events}. The end of the last choice is followed by that of the stream; so is the first
     * failure of a choice, after which nothing is written any more.
     */
    byte[] write(List<Generations.ChoiceEvent> events) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Generations.ChoiceEvent event : events) {
            if (!isEnded()) {
                write(out, event.index(), event.event());
            }
        }
        return out.toByteArray();
    }

    /** Returns whether the stream's end has been written. */
    boolean isEnded() {
        return unended == 0;
    }

    private void write(ByteArrayOutputStream out, int index, GenerationEvent event) {
        switch (event) {
            case GenerationEvent.Prompt prompt -> {
                List<Object> shown = head.format().prompt(index, prompt);
                if (!shown.isEmpty()) {
                    chunk(out, shown);
                }
            }
            case GenerationEvent.Text text -> chunk(out, List.of(head.format().delta(index, text)));
            case GenerationEvent.Finished finished -> {
                usages[index] = finished.usage();
                timings.add(finished);
                unended--;
                List<Object> end = List.of(head.format().end(index, finished));
                if (unended == 0) {
                    end(out, end);
                } else {
                    chunk(out, end);
                }
            }
            case GenerationEvent.Failed failed -> {
                unended = 0;
                event(out, explain.apply(failed.cause()));
                out.writeBytes(DONE);
            }
        }
    }

    /** Writes the end of the last choice, and with it or after it what is told of all. */
    private void end(ByteArrayOutputStream out, List<Object> lastChoice) {
        if (includeUsage) {
            chunk(out, lastChoice);
            UsageBody usage = UsageBody.sum(List.of(usages), choicesPerPrompt);
            event(out, head.chunk(List.of(), usage, timings.result()));
        } else {
            event(out, head.chunk(lastChoice, timings.result()));
        }
        out.writeBytes(DONE);
    }

    private void chunk(ByteArrayOutputStream out, List<Object> choices) {
        event(out, includeUsage ? head.chunk(choices, null, null) : head.chunk(choices, null));
    }

    private static void event(ByteArrayOutputStream out, Object data) {
        out.writeBytes(EVENT_START);
        out.writeBytes(WireJson.write(data));
        out.writeBytes(EVENT_END);
    }
}
