package org.setun.cli.chat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Generator;
import org.setun.generation.InvalidPromptException;
import org.setun.generation.Prompt;
import org.setun.generation.Usage;
import org.setun.tokenizer.ChatMessage;

/** Answers as told, on a thread of its own as an engine does. A conversation has a token for each character of its messages. */
final class ScriptedGenerator implements Generator {

    private final Queue<Behaviour> script = new ArrayDeque<>();
    private final List<GenerationRequest> requests = new ArrayList<>();

    /** Waits, after its first text, for being cancelled. */
    final CountDownLatch speaking = new CountDownLatch(1);

    private interface Behaviour {
        void answer(Consumer<GenerationEvent> events, Usage usage, CountDownLatch cancelled) throws Exception;
    }

    ScriptedGenerator answers(String... pieces) {
        return ends(FinishReason.STOP, pieces);
    }

    ScriptedGenerator ends(FinishReason reason, String... pieces) {
        script.add((events, usage, cancelled) -> {
            for (String piece : pieces) {
                events.accept(new GenerationEvent.Text(piece));
            }
            events.accept(new GenerationEvent.Finished(reason, usage));
        });
        return this;
    }

    /** Answers until the user interrupts. */
    ScriptedGenerator speaksOn(String... pieces) {
        script.add((events, usage, cancelled) -> {
            for (String piece : pieces) {
                events.accept(new GenerationEvent.Text(piece));
            }
            speaking.countDown();
            cancelled.await();
            events.accept(new GenerationEvent.Finished(FinishReason.CANCELLED, usage));
        });
        return this;
    }

    ScriptedGenerator fails(String piece, String message) {
        script.add((events, usage, cancelled) -> {
            events.accept(new GenerationEvent.Text(piece));
            events.accept(new GenerationEvent.Failed(new IllegalStateException(message)));
        });
        return this;
    }

    ScriptedGenerator refuses(String message) {
        script.add((events, usage, cancelled) -> {
            throw new InvalidPromptException("invalid_value", message);
        });
        return this;
    }

    @Override
    public Handle start(GenerationRequest request, Consumer<GenerationEvent> events) throws InvalidPromptException {
        requests.add(request);
        Behaviour behaviour = script.remove();
        Usage usage = new Usage(length(((Prompt.Chat) request.prompt()).messages()), 3);
        CountDownLatch cancelled = new CountDownLatch(1);
        Thread thread = Thread.ofPlatform().daemon().unstarted(() -> {
            try {
                behaviour.answer(events, usage, cancelled);
            } catch (Exception e) {
                events.accept(new GenerationEvent.Failed(e));
            }
        });
        thread.start();
        return cancelled::countDown;
    }

    static int length(List<ChatMessage> messages) {
        return messages.stream().mapToInt(message -> message.content().length()).sum();
    }

    GenerationRequest request(int index) {
        return requests.get(index);
    }

    int requests() {
        return requests.size();
    }

    /** Returns the conversation that was answered, as {@code role: content}. */
    List<String> asked(int index) {
        return ((Prompt.Chat) requests.get(index).prompt())
                .messages().stream()
                        .map(message -> message.role() + ": " + message.content())
                        .toList();
    }
}
