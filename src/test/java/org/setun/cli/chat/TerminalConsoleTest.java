package org.setun.cli.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jline.terminal.Size;
import org.jline.terminal.impl.LineDisciplineTerminal;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.setun.sampling.SamplingParameters;

/** Conversations at a terminal that this test types at: its line discipline makes signals of keys as a real one does. */
@Timeout(60)
final class TerminalConsoleTest {

    private static final String ENTER = "\r";
    private static final String INTERRUPT = "\u0003";
    private static final String END = "\u0004";
    private static final String UP = "\u001bOA";
    private static final String LEFT = "\u001bOD";

    @TempDir
    private Path directory;

    private final ScriptedGenerator generator = new ScriptedGenerator();
    private final Screen screen = new Screen();
    private final ExecutorService thread = Executors.newSingleThreadExecutor();

    @SuppressWarnings("NullAway.Init") // by start
    private LineDisciplineTerminal terminal;

    @AfterEach
    void stop() {
        thread.shutdownNow();
    }

    /** Starts a conversation; the result tells that it has ended. */
    private CompletableFuture<Boolean> start(@Nullable Path history) throws Exception {
        terminal = new LineDisciplineTerminal("test", "xterm", screen, StandardCharsets.UTF_8);
        terminal.setSize(Size.of(200, 40));
        TerminalConsole console = new TerminalConsole(terminal, history);
        ChatModel model = new ChatModel("scripted", generator, ScriptedGenerator::length, 1000, 0);
        ChatSettings settings = new ChatSettings(new SamplingParameters(0, 0, 1, OptionalLong.empty()), 100);
        return CompletableFuture.supplyAsync(
                () -> {
                    try (console) {
                        return new ChatSession(model, console, settings, "").run();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                },
                thread);
    }

    private void type(String keys) throws Exception {
        terminal.processInputBytes(keys.getBytes(StandardCharsets.UTF_8));
    }

    private static void ended(CompletableFuture<Boolean> session) throws Exception {
        assertThat(session.get(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void linesAreEditedAndAnswersStreamed() throws Exception {
        generator.answers("Hi ", "there").answers("Bye");
        CompletableFuture<Boolean> session = start(null);
        type("Helo" + LEFT + "l" + ENTER + "!!" + ENTER + END);
        ended(session);
        assertThat(generator.asked(0)).containsExactly("user: Hello");
        assertThat(generator.asked(1)).containsExactly("user: Hello", "assistant: Hi there", "user: !!");
        assertThat(screen.toString()).contains("Hi there");
    }

    @Test
    void aTurnMayHaveSeveralLines() throws Exception {
        generator.answers("1").answers("2").answers("3");
        CompletableFuture<Boolean> session = start(null);
        type("one\\" + ENTER + "two" + ENTER);
        type("\"\"\"" + ENTER + "/exit" + ENTER + "\"\"\"" + ENTER);
        // A terminal marks what is pasted.
        type("\u001b[200~pasted\rtext\u001b[201~" + ENTER);
        type(END);
        ended(session);
        assertThat(generator.asked(2))
                .containsExactly("user: one\ntwo", "assistant: 1", "user: /exit", "assistant: 2", "user: pasted\ntext");
    }

    @Test
    void anInterruptEndsTheAnswerAndTheNextTheConversation() throws Exception {
        generator.speaksOn("endless ", "words").answers("ok");
        CompletableFuture<Boolean> session = start(null);
        type("talk" + ENTER);
        assertThat(generator.speaking.await(30, TimeUnit.SECONDS)).isTrue();
        type(INTERRUPT);
        screen.await("(interrupted)");
        type("next" + ENTER);
        screen.await("ok");
        // A terminal's interrupt overtakes what was typed before it and not read yet.
        screen.await("> ");
        type("dropped");
        screen.await("dropped");
        type(INTERRUPT);
        screen.await("> ");
        type(INTERRUPT);
        screen.await("once more");
        screen.await("> ");
        type(INTERRUPT);
        ended(session);
        assertThat(generator.asked(1)).containsExactly("user: talk", "assistant: endless words", "user: next");
        assertThat(generator.requests()).isEqualTo(2);
    }

    @Test
    void tabCompletesCommandsAndNothingElse() throws Exception {
        generator.answers("1");
        CompletableFuture<Boolean> session = start(null);
        type("/re\tg\t" + ENTER + "a\tb" + ENTER + "/ex\t" + ENTER);
        assertThat(session.get(30, TimeUnit.SECONDS)).as("/regen is refused").isFalse();
        assertThat(screen.toString()).contains("there is no question yet");
        assertThat(generator.asked(0)).containsExactly("user: ab");
    }

    @Test
    void historyOutlivesTheConversation() throws Exception {
        Path history = directory.resolve("state/setun/chat_history");
        generator.answers("1").answers("2").answers("3");
        CompletableFuture<Boolean> session = start(history);
        type("first\\" + ENTER + "line" + ENTER + "second" + ENTER + END);
        ended(session);
        assertThat(Files.getPosixFilePermissions(history)).hasSize(2);
        session = start(history);
        type(UP + UP + ENTER + END);
        ended(session);
        assertThat(generator.asked(2)).isEqualTo(List.of("user: first\nline"));
    }

    @Test
    void aHistoryThatCannotBeKeptIsSaidAndNotNeeded() throws Exception {
        generator.answers("1");
        Path file = Files.createFile(directory.resolve("file"));
        CompletableFuture<Boolean> session = start(file.resolve("chat_history"));
        type("first" + ENTER + END);
        ended(session);
        assertThat(generator.requests()).isEqualTo(1);
        assertThat(screen.toString()).contains("lines are not kept: ");
    }

    @Test
    void noAnswerCommandsTheTerminal() throws Exception {
        assertThat(TerminalConsole.printable("a\u001b[2Jb\u0007\r\n\tü\ud83d\ude00\u009b"))
                .isEqualTo("a\ufffd[2Jb\ufffd\ufffd\n\tü\ud83d\ude00\ufffd");
        generator.answers("\u001b]0;title\u0007");
        CompletableFuture<Boolean> session = start(null);
        type("go" + ENTER + END);
        ended(session);
        assertThat(screen.toString()).contains("\ufffd]0;title\ufffd");
    }
}
