package org.setun.web;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.setun.generation.GenerationEvent;
import org.setun.web.AnswerFormat.UsageBody;

/** Gathers an answer that is sent in one piece. For one thread at a time. */
final class WholeAnswer {

    /** The best first, by the log probability per token as OpenAI ranks; the order of generation where that is equal. */
    private static final Comparator<GatheredChoice> BEST = Comparator.comparingDouble(
                    (GatheredChoice choice) -> choice.end().meanLogProbability().orElse(0))
            .reversed();

    private final AnswerHead head;
    private final Choices choices;
    private final List<GatheredChoice> gathered;
    private final AnswerTimings timings;
    private @Nullable Throwable failure;

    /** Creates an answer to {@code numPrompts} prompts, without text yet. */
    WholeAnswer(AnswerHead head, int numPrompts, Choices choices, AnswerTimings timings) {
        this.head = head;
        this.choices = choices;
        this.timings = timings;
        this.gathered = Stream.generate(GatheredChoice::new)
                .limit((long) numPrompts * choices.generated())
                .toList();
    }

    /** Takes the next events. A choice that failed fails the answer, see {@link #failure}. */
    void add(List<Generations.ChoiceEvent> events) {
        for (Generations.ChoiceEvent event : events) {
            GatheredChoice choice = gathered.get(event.index());
            switch (event.event()) {
                case GenerationEvent.Prompt prompt -> choice.prompt(prompt);
                case GenerationEvent.Text text -> choice.add(text);
                case GenerationEvent.Finished finished -> {
                    choice.end(finished);
                    timings.add(finished);
                }
                case GenerationEvent.Failed failed -> failure = failed.cause();
            }
        }
    }

    /** Returns whether all choices have ended. */
    boolean isComplete() {
        return gathered.stream().allMatch(GatheredChoice::hasEnded);
    }

    /** Returns why there will be no answer, once that is known. */
    Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    /** Returns the JSON of the answer, all of whose choices have ended. */
    byte[] json() {
        List<Object> shown = new ArrayList<>();
        for (int first = 0; first < gathered.size(); first += choices.generated()) {
            for (GatheredChoice choice : best(gathered.subList(first, first + choices.generated()))) {
                shown.add(head.format().choice(shown.size(), choice));
            }
        }
        return WireJson.write(head.answer(shown, usage(), timings.result()));
    }

    private List<GatheredChoice> best(List<GatheredChoice> ofPrompt) {
        return choices.areRanked()
                ? ofPrompt.stream().sorted(BEST).limit(choices.shown()).toList()
                : ofPrompt;
    }

    private UsageBody usage() {
        return UsageBody.sum(
                gathered.stream().map(choice -> choice.end().usage()).toList(), choices.generated());
    }
}
