package org.setun.cli;

import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A UTF-8 file of texts, separated by two empty lines, read piece by piece, so that a file of any size takes little memory.
 * Line ends of any kind are read as {@code \n}. A text of white space alone is left out.
 *
 * <p>A piece is a whole text unless that is long. A long one is cut where byte-level tokenizers cut as well, so that the tokens
 * of its pieces are its own: before a line's first letter, or before a single space between letters. Where there is no such
 * place, it is cut anyway. For one thread at a time.
 */
final class TextFile implements AutoCloseable {

    /**
     * A part of a text.
     *
     * @param text the characters, at least one
     * @param first whether a text begins with it
     */
    record Piece(String text, boolean first) {}

    /** Characters of a piece at most: a few megabytes when they are tokens. */
    static final int DEFAULT_LIMIT = 1 << 18;

    private static final String SEPARATOR = "\n\n\n";
    private static final int NEXT_LINE = 0x85;
    private static final int BUFFER_SIZE = 1 << 16;

    private final Reader reader;
    private final int limit;
    private final StringBuilder pending = new StringBuilder();
    private final char[] buffer = new char[BUFFER_SIZE];
    private boolean afterReturn;
    private boolean exhausted;
    private boolean within;

    private TextFile(Reader reader, int limit) {
        this.reader = reader;
        this.limit = limit;
    }

    /** Opens a file that {@link #check} has found good. The caller closes it. */
    static TextFile open(Path file) throws IOException {
        return open(file, DEFAULT_LIMIT);
    }

    /**
     * Opens a file that {@link #check} has found good. The caller closes it.
     *
     * @param limit characters of a piece at most, at least 2
     */
    static TextFile open(Path file, int limit) throws IOException {
        return new TextFile(Files.newBufferedReader(file), limit);
    }

    /**
     * Reads a file once, to find before any long work whether it is a text.
     *
     * @return its size in bytes
     * @throws NoSuchFileException if there is no such file
     * @throws InvalidTextException if it is no file, not UTF-8, or holds nothing but white space
     */
    static long check(Path file) throws IOException, InvalidTextException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new InvalidTextException(file, "expected a file, found something else", "name a text file");
        }
        long consumed = 0;
        boolean blank = true;
        try (ReadableByteChannel channel = Files.newByteChannel(file)) {
            CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
            ByteBuffer bytes = ByteBuffer.allocate(BUFFER_SIZE);
            CharBuffer chars = CharBuffer.allocate(BUFFER_SIZE);
            boolean ended;
            do {
                ended = channel.read(bytes) < 0;
                bytes.flip();
                CoderResult result = decoder.decode(bytes, chars, ended);
                if (result.isError()) {
                    throw new InvalidTextException(
                            file,
                            "expected UTF-8, found a byte that is not at offset " + (consumed + bytes.position()),
                            "convert it, for example with iconv");
                }
                blank &= isBlank(chars.flip());
                consumed += bytes.position();
                bytes.compact();
                chars.clear();
            } while (!ended);
        }
        if (blank) {
            throw new InvalidTextException(
                    file,
                    consumed == 0 ? "expected text, found an empty file" : "expected text, found white space alone",
                    "name a file with a text in it");
        }
        return consumed;
    }

    /** Returns the next piece; empty after the last. */
    Optional<Piece> next() throws IOException {
        while (true) {
            fill();
            boolean first = !within;
            int end = pending.indexOf(SEPARATOR);
            boolean whole = end >= 0 && end <= limit;
            if (!whole && pending.length() > limit) {
                end = cut();
                within = true;
            } else {
                end = whole ? end : pending.length();
                within = false;
            }
            String text = pending.substring(0, end);
            pending.delete(0, whole ? end + SEPARATOR.length() : end);
            boolean leftOut = first && !within && isBlank(text);
            if (!text.isEmpty() && !leftOut) {
                return Optional.of(new Piece(text, first));
            }
            if (exhausted && pending.isEmpty()) {
                return Optional.empty();
            }
        }
    }

    /** Reads until a separator that begins within the limit would be seen. */
    private void fill() throws IOException {
        while (!exhausted && pending.length() < limit + SEPARATOR.length()) {
            int count = reader.read(buffer);
            exhausted = count < 0;
            for (int i = 0; i < count; i++) {
                char c = buffer[i];
                if (c != '\n' || !afterReturn) {
                    pending.append(c == '\r' ? '\n' : c);
                }
                afterReturn = c == '\r';
            }
        }
    }

    /** Returns where to cut the pending characters, more than the limit. */
    private int cut() {
        for (int i = Math.min(limit, pending.length() - 2); i > 1; i--) {
            char before = pending.charAt(i - 1);
            boolean atLine =
                    before == '\n' && !isWhiteSpace(pending.charAt(i - 2)) && Character.isLetter(pending.charAt(i));
            boolean atWord =
                    pending.charAt(i) == ' ' && Character.isLetter(before) && Character.isLetter(pending.charAt(i + 1));
            if (atLine || atWord) {
                return i;
            }
        }
        return Character.isLowSurrogate(pending.charAt(limit)) ? limit - 1 : limit;
    }

    private static boolean isBlank(CharSequence text) {
        return text.chars().allMatch(TextFile::isWhiteSpace);
    }

    /** Tells what Python's {@code str.strip} strips. */
    private static boolean isWhiteSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == NEXT_LINE;
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
