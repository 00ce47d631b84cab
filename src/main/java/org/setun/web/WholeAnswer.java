package org.setun.web;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.setun.generation.GenerationEvent;
import org.setun.generation.TextToken;
import org.setun.generation.Usage;
import org.setun.web.AnswerFormat.UsageBody;

/** Gathers an answer that is sent in one piece. For one thread at a time. */
final class WholeAnswer {

    private final AnswerHead head;
    private final List<StringBuilder> texts = new ArrayList<>();
    private final List<List<TextToken>> tokens = new ArrayList<>();
    private final List<Object> choices = new ArrayList<>();
    private final List<Usage> usages = new ArrayList<>();
    private @Nullable Throwable failure;

    /** Creates an answer of {@code numChoices} choices, all without text yet. */
    WholeAnswer(AnswerHead head, int numChoices) {
        this.head = head;
        for (int i = 0; i < numChoices; i++) {
            texts.add(new StringBuilder());
            tokens.add(new ArrayList<>());
            // Stands there until the choice has ended: choices end in any order.
            choices.add(List.of());
        }
    }

    /** Takes the next events. A choice that failed fails the answer, see {@link #failure}. */
    void add(List<Generations.ChoiceEvent> events) {
        for (Generations.ChoiceEvent event : events) {
            int index = event.index();
            switch (event.event()) {
                case GenerationEvent.Text text -> {
                    texts.get(index).append(text.text());
                    tokens.get(index).addAll(text.tokens());
                }
                case GenerationEvent.Finished finished -> {
                    GenerationEvent.Text whole =
                            new GenerationEvent.Text(texts.get(index).toString(), tokens.get(index));
                    choices.set(index, head.format().choice(index, whole, finished.reason()));
                    usages.add(finished.usage());
                }
                case GenerationEvent.Failed failed -> failure = failed.cause();
            }
        }
    }

    /** Returns whether all choices have ended. */
    boolean isComplete() {
        return usages.size() == choices.size();
    }

    /** Returns why there will be no answer, once that is known. */
    Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    /** Returns the JSON of the answer, all of whose choices have ended. */
    byte[] json() {
        return WireJson.write(head.answer(choices, UsageBody.sum(usages)));
    }
}
