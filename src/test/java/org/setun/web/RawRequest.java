package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A completion request over a socket of its own, whose reading and closing are the test's. */
final class RawRequest implements AutoCloseable {

    private static final int BUFFER = 65_536;

    private final Socket socket;

    /** Sends the request with {@code body} to the server at {@code port}. */
    RawRequest(int port, String requestId, String body) throws IOException {
        socket = new Socket("localhost", port);
        socket.setSoTimeout(10_000);
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        send(("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        + "x-request-id: " + requestId + "\r\n"
                        + "Content-Length: " + bytes.length + "\r\n\r\n")
                .getBytes(StandardCharsets.UTF_8));
        send(bytes);
    }

    private void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    /** Returns what the server sends up to and with {@code end}; runs into the socket's time limit if it never comes. */
    String readUntil(String end) throws IOException {
        InputStream in = socket.getInputStream();
        StringBuilder text = new StringBuilder();
        byte[] buffer = new byte[BUFFER];
        while (text.indexOf(end, Math.max(0, text.length() - buffer.length - end.length())) < 0) {
            int length = in.read(buffer);
            assertThat(length).as("bytes before '%s'", end).isPositive();
            text.append(new String(buffer, 0, length, StandardCharsets.ISO_8859_1));
        }
        return text.toString();
    }

    /** Returns how many bytes the server has sent that nobody has read. */
    int unread() throws IOException {
        return socket.getInputStream().available();
    }

    /** Returns whether the test has closed it. */
    boolean isClosed() {
        return socket.isClosed();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
