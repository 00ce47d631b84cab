package org.setun.cli.chat;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jline.reader.Completer;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.Terminal.SignalHandler;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/**
 * A conversation at a terminal, whose lines can be edited and come back with the arrow keys. An interrupt (Ctrl-C) ends an answer; at
 * the prompt it drops what was typed, and the second in a row ends the conversation, as the end of input (Ctrl-D) does.
 */
public final class TerminalConsole implements ChatConsole {

    private static final String PROMPT = "> ";
    private static final String NEXT_LINE_PROMPT = ". ";
    private static final int MOST_HISTORY = 1000;

    private final Terminal terminal;
    private final LineReader reader;

    /** Whether the last thing that the user did was to interrupt. */
    private volatile boolean interrupted;

    /**
     * Opens the terminal of this process. The caller closes it.
     *
     * @param history the file that keeps what was typed; null for none
     * @throws IOException if there is no terminal
     */
    public static TerminalConsole open(@Nullable Path history) throws IOException {
        // Not asked what it can do with clusters of characters: over a slow line, its answer would come as if it were
        // typed.
        return new TerminalConsole(
                TerminalBuilder.builder()
                        .name("setun")
                        .system(true)
                        .graphemeCluster(false)
                        .build(),
                history);
    }

    /** Creates a console on a terminal, which it closes. */
    TerminalConsole(Terminal terminal, @Nullable Path history) {
        this.terminal = terminal;
        // Between an answer and the prompt: otherwise an interrupt that comes a moment too late for the answer ends the
        // process.
        terminal.handle(Signal.INT, signal -> interrupted = true);
        LineReaderBuilder builder = LineReaderBuilder.builder()
                .terminal(terminal)
                .appName("setun")
                .parser(TurnLine::parse)
                .completer(commands())
                // An exclamation mark is one.
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .option(LineReader.Option.HISTORY_TIMESTAMPED, false)
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, NEXT_LINE_PROMPT)
                .variable(LineReader.HISTORY_SIZE, MOST_HISTORY)
                .variable(LineReader.HISTORY_FILE_SIZE, MOST_HISTORY);
        if (history != null && canKeep(history)) {
            builder.variable(LineReader.HISTORY_FILE, history);
        }
        this.reader = builder.build();
    }

    private boolean canKeep(Path history) {
        try {
            HistoryFile.require(history);
            return true;
        } catch (IOException e) {
            tell("lines are not kept: " + HistoryFile.problem(history, e));
            return false;
        }
    }

    private static Completer commands() {
        StringsCompleter names = new StringsCompleter(SlashCommand.names());
        return (lineReader, line, candidates) -> {
            if (line.line().startsWith("/")) {
                names.complete(lineReader, line, candidates);
            }
        };
    }

    @Override
    public @Nullable String readTurn() {
        while (true) {
            try {
                String turn = reader.readLine(PROMPT);
                interrupted = false;
                return turn;
            } catch (EndOfFileException e) {
                return null;
            } catch (UserInterruptException e) {
                boolean typed = !e.getPartialLine().isEmpty();
                if (interrupted && !typed) {
                    return null;
                }
                interrupted = !typed;
                if (interrupted) {
                    tell("Ctrl-C once more ends the conversation, as Ctrl-D does");
                }
            }
        }
    }

    @Override
    public Interruption onInterrupt(Runnable action) {
        SignalHandler before = terminal.handle(Signal.INT, signal -> {
            interrupted = true;
            action.run();
        });
        // What is typed meanwhile belongs to the next turn, not into the answer.
        Attributes attributes = terminal.getAttributes();
        Attributes silent = new Attributes(attributes);
        silent.setLocalFlag(LocalFlag.ECHO, false);
        terminal.setAttributes(silent);
        return () -> {
            terminal.setAttributes(attributes);
            terminal.handle(Signal.INT, before);
        };
    }

    @Override
    public void answer(String text) {
        PrintWriter writer = terminal.writer();
        writer.print(printable(text));
        writer.flush();
    }

    /** Returns {@code text} without what a terminal would obey: a model may write anything. */
    static String printable(String text) {
        return text.codePoints()
                .map(c -> Character.isISOControl(c) && c != '\n' && c != '\t' ? '\ufffd' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    @Override
    public boolean endAnswer() {
        terminal.writer().println();
        terminal.writer().flush();
        return true;
    }

    @Override
    public void tell(String sentence) {
        String shown = printable(sentence);
        // Of several lines it is plain that they are not the model's.
        terminal.writer().println(shown.contains("\n") ? shown : "(" + shown + ")");
        terminal.writer().flush();
    }

    @Override
    public void close() throws IOException {
        terminal.close();
    }
}
