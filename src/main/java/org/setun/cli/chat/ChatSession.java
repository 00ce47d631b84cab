package org.setun.cli.chat;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Prompt;
import org.setun.tokenizer.ChatTemplateException;

/**
 * Holds a conversation: reads turns, obeys commands, has questions answered.
 *
 * <p>A conversation has outgrown the context when there is less left for an answer than a quarter of it, or than an answer may have.
 * It then loses its oldest turns, question and answer together, until it takes at most half of the context, and the user is told.
 * Were it only made to fit, every turn after that would lose another, and so begin otherwise than the one before and have to be read
 * anew. A question that is too long by itself is refused.
 */
public final class ChatSession {

    private static final int FREE_SHARE = 4;

    private final ChatModel model;
    private final ChatConsole console;
    private ChatSettings settings;
    private Conversation conversation;
    private @Nullable Answer lastAnswer;
    private int answers;
    private boolean allAnswered = true;

    /**
     * Creates a session; nothing is shown yet.
     *
     * @param system how the model is told to behave; empty for nothing
     */
    public ChatSession(ChatModel model, ChatConsole console, ChatSettings settings, String system) {
        this.model = model;
        this.console = console;
        this.settings = settings;
        this.conversation = Conversation.begin(system);
    }

    /**
     * Goes on until the user ends the conversation.
     *
     * @return whether every question was answered and every command obeyed
     */
    public boolean run() throws IOException, InterruptedException {
        boolean goesOn = true;
        while (goesOn) {
            String typed = console.readTurn();
            goesOn = typed != null && take(typed);
        }
        return allAnswered;
    }

    /** Takes a turn, and returns whether there may be another. */
    private boolean take(String typed) throws InterruptedException {
        String text = TurnText.content(typed);
        if (text.isBlank()) {
            return true;
        }
        if (text.startsWith("/") && !TurnText.isBlock(typed)) {
            return obey(text.strip());
        }
        return answer(conversation.asking(text));
    }

    private boolean obey(String text) throws InterruptedException {
        List<String> words = List.of(text.split("\\s+", 2));
        Optional<SlashCommand> command = SlashCommand.of(words.getFirst());
        String argument = words.size() > 1 ? words.get(1) : "";
        if (command.isEmpty()) {
            return refuse(words.getFirst() + ": expected one of " + String.join(", ", SlashCommand.names())
                    + "; a text that begins with / can be put between \"\"\" and \"\"\"");
        }
        switch (command.get()) {
            case HELP -> console.tell(SlashCommand.help());
            case RESET -> {
                conversation = Conversation.begin(conversation.system());
                console.tell("forgotten; the next question begins a conversation");
            }
            case SYSTEM -> {
                conversation = conversation.withSystem(argument);
                console.tell(argument.isEmpty() ? "no system prompt from now on" : "this is the system prompt now");
            }
            case REGEN -> {
                return conversation.turns().isEmpty()
                        ? refuse("there is no question yet that could be answered anew")
                        : answer(conversation.withoutLastAnswer());
            }
            case SET -> {
                return set(argument);
            }
            case STATS -> tellStatistics();
            case EXIT -> {
                return false;
            }
        }
        return true;
    }

    private boolean set(String argument) {
        String[] words = argument.split("\\s+", 3);
        try {
            if (!argument.isEmpty()) {
                if (words.length != 2) {
                    return refuse("/set: expected a name and a value, such as /set temperature 0.7, found " + argument);
                }
                settings = settings.with(words[0], words[1]);
            }
        } catch (IllegalArgumentException e) {
            return refuse("/set: " + e.getMessage());
        }
        console.tell(settings.toString());
        return true;
    }

    private void tellStatistics() {
        Answer last = lastAnswer;
        if (last == null) {
            console.tell("nothing was answered yet; the context has " + model.contextLength() + " tokens");
            return;
        }
        int questions = conversation.questions();
        console.tell("%d %s in the conversation, %d of the context's %d tokens%nlast answer: %s"
                .formatted(
                        questions,
                        questions == 1 ? "question" : "questions",
                        last.usage().totalTokens(),
                        model.contextLength(),
                        last.speed()));
    }

    /** Has the last question of {@code asked} answered, and goes on from there if it is. */
    private boolean answer(Conversation asked) throws InterruptedException {
        Answer answer;
        Conversation fitting;
        try {
            fitting = fit(asked);
            answer = Answer.show(model.generator(), request(fitting), console);
        } catch (AnswerFailedException e) {
            return refuse(String.valueOf(e.getMessage()));
        }
        boolean read = console.endAnswer();
        answers++;
        lastAnswer = answer;
        // An answer that was interrupted before it began leaves the conversation as it was before the question.
        if (answer.reason() != FinishReason.CANCELLED || !answer.text().isEmpty()) {
            conversation = fitting.answered(answer.text());
        }
        switch (answer.reason()) {
            case LENGTH ->
                console.tell("the answer ended after %d tokens; /set max_tokens allows more"
                        .formatted(answer.usage().completionTokens()));
            case CANCELLED -> console.tell("interrupted");
            case TIMEOUT -> console.tell("the answer took longer than it may");
            case STOP -> {}
        }
        return read;
    }

    private GenerationRequest request(Conversation fitting) throws AnswerFailedException {
        int maxTokens = Math.min(settings.maxTokens(), model.contextLength() - length(fitting));
        return new GenerationRequest(
                "chat-" + answers,
                new Prompt.Chat(fitting.messages()),
                OptionalInt.of(maxTokens),
                settings.sampling(answers),
                List.of(),
                model.activationSparsity());
    }

    /** Returns {@code asked} without as many of its oldest turns as have to go. */
    private Conversation fit(Conversation asked) throws AnswerFailedException {
        int context = model.contextLength();
        Conversation fitting = asked;
        int length = length(asked);
        if (length > context - Math.min(settings.maxTokens(), context / FREE_SHARE)) {
            while (length > context / 2 && fitting.questions() > 1) {
                fitting = fitting.withoutOldestTurn();
                length = length(fitting);
            }
        }
        if (length >= context) {
            throw new AnswerFailedException("the question alone, with the system prompt, has " + length
                    + " tokens, and the context is " + context + "; it was not asked");
        }
        int dropped = asked.questions() - fitting.questions();
        if (dropped > 0) {
            console.tell("the conversation has outgrown the context of %d tokens: its oldest %s forgotten"
                    .formatted(context, dropped == 1 ? "turn is" : dropped + " turns are"));
        }
        return fitting;
    }

    private int length(Conversation asked) throws AnswerFailedException {
        try {
            return model.promptLength().of(asked.messages());
        } catch (ChatTemplateException e) {
            throw new AnswerFailedException("the messages do not fit the model's chat template: " + e.getMessage(), e);
        }
    }

    private boolean refuse(String sentence) {
        allAnswered = false;
        console.tell(sentence);
        return true;
    }
}
