package org.setun.cli.chat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A conversation with a program: turns are read from a stream, one a line or a block, and nothing but answers is written to the
 * other, each with a line's end. What there is to tell beside goes where errors go. Everything is UTF-8.
 */
public final class PipeConsole implements ChatConsole {

    private final BufferedReader in;
    private final PrintStream out;
    private final PrintWriter err;

    /** Creates a console on streams that stay the caller's. */
    public PipeConsole(InputStream in, PrintStream out, PrintWriter err) {
        this.in = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        this.out = out;
        this.err = err;
    }

    @Override
    public @Nullable String readTurn() throws IOException {
        String line = in.readLine();
        if (line == null) {
            return null;
        }
        StringBuilder turn = new StringBuilder(line);
        while (!TurnText.isComplete(turn.toString())) {
            line = in.readLine();
            if (line == null) {
                break;
            }
            turn.append('\n').append(line);
        }
        return turn.toString();
    }

    @Override
    public Interruption onInterrupt(Runnable action) {
        // Who interrupts a program's pipe wants the program to end.
        return () -> {};
    }

    @Override
    public void answer(String text) {
        out.print(text);
        out.flush();
    }

    @Override
    public boolean endAnswer() {
        out.print('\n');
        return !out.checkError();
    }

    @Override
    public void tell(String sentence) {
        err.println("setun: " + sentence);
        err.flush();
    }

    @Override
    public void close() {}
}
