package org.setun.cli.chat;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** What a terminal was told to show; others can wait for it. */
final class Screen extends OutputStream {

    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
    private int seen;

    @Override
    public synchronized void write(int b) {
        shown.write(b);
        notifyAll();
    }

    /** Waits until {@code text} is shown after what was waited for before. The test's timeout interrupts this. */
    synchronized void await(String text) throws InterruptedException {
        int found = text().indexOf(text, seen);
        while (found < 0) {
            wait();
            found = text().indexOf(text, seen);
        }
        seen = found + text.length();
    }

    /** Returns everything; bytes as characters, so that positions do not change while a character arrives. */
    synchronized String text() {
        return shown.toString(StandardCharsets.ISO_8859_1);
    }

    @Override
    public synchronized String toString() {
        return shown.toString(StandardCharsets.UTF_8);
    }
}
