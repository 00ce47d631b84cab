package org.setun.cli.load;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads the data of server-sent events, as the WHATWG HTML standard, "Interpreting an event stream", defines them: fields other than
 * {@code data} and comments are passed over, an event ends with an empty line, and one that the stream's end cuts off is none.
 */
public final class SseReader {

    /** Far more than a chunk of an answer has, and little enough for a thousand streams of garbage. */
    private static final int MOST_BYTES = 1 << 20;

    private final InputStream in;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private boolean afterReturn;

    /** Reads from {@code in}, which stays the caller's. */
    public SseReader(InputStream in) {
        this.in = new BufferedInputStream(in);
    }

    /**
     * Returns the data of the next event; null at the end.
     *
     * @throws FailedRequestException if a line or an event has no end
     * @throws IOException if the stream breaks
     */
    public @Nullable String next() throws IOException, FailedRequestException {
        StringBuilder data = new StringBuilder();
        boolean any = false;
        for (String text = nextLine(); text != null; text = nextLine()) {
            if (text.isEmpty()) {
                if (any) {
                    return data.toString();
                }
            } else if (text.equals("data") || text.startsWith("data:")) {
                String value = text.length() > 5 ? text.substring(5) : "";
                if (any) {
                    data.append('\n');
                }
                data.append(value.startsWith(" ") ? value.substring(1) : value);
                any = true;
                if (data.length() > MOST_BYTES) {
                    throw FailedRequestException.malformed("an event has more than " + MOST_BYTES + " characters");
                }
            }
        }
        return null;
    }

    private @Nullable String nextLine() throws IOException, FailedRequestException {
        line.reset();
        for (int b = in.read(); b >= 0; b = in.read()) {
            boolean pair = afterReturn && b == '\n';
            afterReturn = b == '\r';
            if (pair) {
                continue;
            }
            if (b == '\n' || b == '\r') {
                return line.toString(StandardCharsets.UTF_8);
            }
            if (line.size() == MOST_BYTES) {
                throw FailedRequestException.malformed("a line has more than " + MOST_BYTES + " bytes");
            }
            line.write(b);
        }
        return null;
    }
}
