package org.setun.hub;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A response whose body has not been read. The caller closes it.
 *
 * @param uri where it came from after redirects, whose query may be a signature: show only its host
 * @param fromHub whether that is the hub itself, not a host that it redirected to
 */
record HubResponse(URI uri, boolean fromHub, int status, HttpHeaders headers, BodyStream body)
        implements AutoCloseable {

    /** Returns a header's first value, or an empty text. */
    String header(String name) {
        return headers.firstValue(name).orElse("");
    }

    /**
     * Returns the whole body.
     *
     * @throws IOException if the connection broke, or the body is longer than {@code limit}
     */
    byte[] bytes(int limit) throws IOException, InterruptedException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (@Nullable ByteBuffer next = body.next(); next != null; next = body.next()) {
            if (next.remaining() > limit - out.size()) {
                throw new IOException("the answer is longer than " + limit + " bytes");
            }
            byte[] chunk = new byte[next.remaining()];
            next.get(chunk);
            out.write(chunk);
        }
        return out.toByteArray();
    }

    @Override
    public void close() {
        body.close();
    }
}
