package org.setun.cli.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.engine.FinishReason;
import org.setun.sampling.SamplingParameters;
import org.setun.tokenizer.ChatTemplateException;

/** Conversations through a pipe: what the model is asked, what is printed where. */
@Timeout(60)
final class ChatSessionTest {

    private static final SamplingParameters SAMPLING = new SamplingParameters(0.5, 4, 0.9, OptionalLong.of(7));

    private final ScriptedGenerator generator = new ScriptedGenerator();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final StringWriter err = new StringWriter();
    private int contextLength = 1000;
    private int maxTokens = 100;
    private String system = "";

    private boolean run(String... lines) throws Exception {
        return run(out, String.join("\n", lines));
    }

    private boolean run(OutputStream stream, String input) throws Exception {
        PipeConsole console = new PipeConsole(
                new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                new PrintStream(stream, false, StandardCharsets.UTF_8),
                new PrintWriter(err));
        ChatModel model = new ChatModel(
                "scripted",
                generator,
                messages -> {
                    if (messages.getFirst().content().equals("refused")) {
                        throw new ChatTemplateException("no such words");
                    }
                    return ScriptedGenerator.length(messages);
                },
                contextLength,
                0.25);
        return new ChatSession(model, console, new ChatSettings(SAMPLING, maxTokens), system).run();
    }

    private String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void everyLineIsATurnThatKnowsThoseBefore() throws Exception {
        generator.answers("Да", ", konnichiwa").answers("Fine");
        system = "Be brief.";
        assertThat(run("Hello", "", "How are\\", "you?")).isTrue();

        assertThat(printed()).isEqualTo("Да, konnichiwa\nFine\n");
        assertThat(err.toString()).isEmpty();
        assertThat(generator.asked(0)).containsExactly("system: Be brief.", "user: Hello");
        assertThat(generator.asked(1))
                .containsExactly(
                        "system: Be brief.", "user: Hello", "assistant: Да, konnichiwa", "user: How are\nyou?");
        assertThat(generator.request(0).maxTokens()).isEqualTo(OptionalInt.of(100));
        assertThat(generator.request(0).activationSparsity()).isEqualTo(0.25);
        assertThat(generator.request(0).sampling()).isEqualTo(SAMPLING);
        assertThat(generator.request(1).sampling().seed()).hasValue(8);
    }

    @Test
    void aBlockIsNeverACommand() throws Exception {
        generator.answers("ok");
        assertThat(run("\"\"\"", "/exit", "  now", "\"\"\"")).isTrue();
        assertThat(generator.asked(0)).containsExactly("user: /exit\n  now");
    }

    @Test
    void commandsAreObeyed() throws Exception {
        generator.answers("1").answers("2").answers("3").answers("4");
        assertThat(run(
                        "one",
                        "/regen",
                        "/system  Be kind. ",
                        "/set temperature 0",
                        "/set seed none",
                        "/set max_tokens 5",
                        "two",
                        "/stats",
                        "/reset",
                        "/system",
                        "three",
                        "/exit",
                        "four"))
                .isTrue();
        assertThat(printed()).isEqualTo("1\n2\n3\n4\n");
        assertThat(generator.asked(1)).containsExactly("user: one");
        assertThat(generator.request(1).sampling().seed()).hasValue(8);
        assertThat(generator.asked(2)).containsExactly("system: Be kind.", "user: one", "assistant: 2", "user: two");
        assertThat(generator.request(2).sampling()).isEqualTo(new SamplingParameters(0, 4, 0.9, OptionalLong.empty()));
        assertThat(generator.request(2).maxTokens()).hasValue(5);
        assertThat(generator.asked(3)).containsExactly("user: three");
        assertThat(err.toString())
                .contains("2 questions in the conversation, 18 of the context's 1000 tokens")
                .contains("15 prompt tokens, 3 generated")
                .contains("temperature 0.0, top_k 4, top_p 0.9, seed none, max_tokens 5");
    }

    @Test
    void helpNamesEveryCommandAndSetting() throws Exception {
        assertThat(run("/help")).isTrue();
        assertThat(err.toString())
                .contains(SlashCommand.names())
                .contains(ChatSettings.NAMES)
                .contains("Ctrl-D");
        assertThat(generator.requests()).isZero();
    }

    @Test
    void whatIsNoCommandIsRefusedAndNotAsked() throws Exception {
        assertThat(run("/exti", "/set", "/set heat 1", "/set top_p 0", "/set top_k x", "/set a b c", "/regen"))
                .isFalse();
        assertThat(generator.requests()).isZero();
        assertThat(printed()).isEmpty();
        assertThat(err.toString())
                .contains("/exti: expected one of /help, /reset, /system, /regen, /set, /stats, /exit")
                .contains("/set: expected one of temperature, top_k, top_p, seed, max_tokens, found heat")
                .contains("/set: top_p: expected more than 0 and at most 1, found 0.0")
                .contains("/set: top_k: expected a number, found x")
                .contains("/set: expected a name and a value, such as /set temperature 0.7, found a b c")
                .contains("there is no question yet");
    }

    @Test
    void aConversationThatOutgrowsTheContextForgetsItsOldestTurns() throws Exception {
        contextLength = 40;
        maxTokens = 30;
        generator.answers("a".repeat(9)).answers("b".repeat(9)).answers("c");
        // 10 + 9, then 19 + 10 which leaves 11 for the answer; 38 + 2 leaves none.
        assertThat(run("1".repeat(10), "2".repeat(10), "33")).isTrue();
        assertThat(generator.request(1).maxTokens()).hasValue(11);
        assertThat(generator.asked(1)).hasSize(3);
        assertThat(generator.asked(2)).containsExactly("user: 33");
        assertThat(err.toString())
                .isEqualTo("setun: the conversation has outgrown the context of 40 tokens: its oldest 2 turns are"
                        + " forgotten" + System.lineSeparator());
    }

    @Test
    void aQuestionLongerThanTheContextIsNotAskedAndTheConversationGoesOn() throws Exception {
        contextLength = 40;
        generator.answers("a").answers("b");
        assertThat(run("one", "x".repeat(40), "two")).isFalse();
        assertThat(err.toString()).contains("has 40 tokens, and the context is 40; it was not asked");
        assertThat(generator.asked(1)).containsExactly("user: one", "assistant: a", "user: two");
    }

    @Test
    void aFailedAnswerLeavesTheConversationAsItWas() throws Exception {
        generator
                .answers("a")
                .fails("half", "the engine broke")
                .refuses("too odd")
                .answers("c");
        assertThat(run("one", "two", "three", "four")).isFalse();
        assertThat(printed()).isEqualTo("a\nhalf\nc\n");
        assertThat(err.toString()).contains("the engine broke").contains("too odd");
        assertThat(generator.asked(3)).containsExactly("user: one", "assistant: a", "user: four");
    }

    @Test
    void aTemplateThatRefusesAMessageIsQuoted() throws Exception {
        assertThat(run("refused")).isFalse();
        assertThat(err.toString()).contains("the messages do not fit the model's chat template: no such words");
    }

    @Test
    void anAnswerThatWasCutIsSaidToBe() throws Exception {
        generator.ends(FinishReason.LENGTH, "and so");
        assertThat(run("go")).isTrue();
        assertThat(err.toString()).contains("the answer ended after 3 tokens; /set max_tokens allows more");
    }

    @Test
    void theConversationEndsWhenNobodyReadsTheAnswers() throws Exception {
        generator.answers("a").answers("b");
        OutputStream closed = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
            }
        };
        run(closed, "one\ntwo\n");
        assertThat(generator.requests()).isEqualTo(1);
    }
}
