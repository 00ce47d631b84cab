package org.setun.cli.chat;

import java.util.List;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.Parser;

/**
 * A turn as the line editor sees it: all of it is one word, in which nothing has to be escaped.
 *
 * @param line what is typed, or the part of it before the cursor
 * @param cursor where the cursor is
 */
record TurnLine(String line, int cursor) implements CompletingParsedLine {

    /** Parses a turn, and asks for another line where it has not ended. */
    static TurnLine parse(String line, int cursor, Parser.ParseContext context) {
        if (context == Parser.ParseContext.ACCEPT_LINE && !TurnText.isComplete(line)) {
            throw new EOFError(-1, -1, "the turn goes on");
        }
        return new TurnLine(line, cursor);
    }

    @Override
    public String word() {
        return line;
    }

    @Override
    public int wordCursor() {
        return cursor;
    }

    @Override
    public int wordIndex() {
        return 0;
    }

    @Override
    public List<String> words() {
        return List.of(line);
    }

    @Override
    public CharSequence escape(CharSequence candidate, boolean complete) {
        return candidate;
    }

    @Override
    public int rawWordCursor() {
        return cursor;
    }

    @Override
    public int rawWordLength() {
        return line.length();
    }
}
