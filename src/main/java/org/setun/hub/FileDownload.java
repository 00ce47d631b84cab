package org.setun.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Fetches one file: from where an earlier attempt ended, over as many connections as it takes, and not done before its
 * checksum is right.
 */
final class FileDownload {

    private static final int FRUITLESS_RETRIES = 5;
    private static final int MOST_WRONG_CONTENTS = 2;
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18})");

    private final HubApi api;
    private final String commit;
    private final RemoteFile file;
    private final Retries retries;

    /** Says that what the hub sends cannot be the file: its length or its checksum is another. */
    private static final class WrongContentException extends Exception {

        private static final long serialVersionUID = 1L;

        WrongContentException(String expected, String found) {
            super("expected " + expected + ", found " + found);
        }
    }

    FileDownload(HubApi api, String commit, RemoteFile file, Pause pause, PullListener listener) {
        this.api = api;
        this.commit = commit;
        this.file = file;
        this.retries = new Retries(file.path(), FRUITLESS_RETRIES, pause, listener);
    }

    /**
     * Completes {@code partial}. Wrong bytes are thrown away and fetched once more from the beginning.
     *
     * @param progress told how many bytes there are
     * @throws HubException if they stay wrong or do not come
     * @throws IOException if they cannot be written
     */
    void complete(PartialFile partial, LongConsumer progress) throws HubException, IOException, InterruptedException {
        for (int wrong = 1; ; wrong++) {
            try {
                receiveAll(partial, progress);
                Checksum found = partial.finish();
                if (found.equals(file.checksum())) {
                    return;
                }
                throw new WrongContentException(file.checksum().toString(), found.toString());
            } catch (WrongContentException e) {
                partial.restart();
                progress.accept(0);
                if (wrong == MOST_WRONG_CONTENTS) {
                    throw new HubException(
                            file.path() + ": " + e.getMessage()
                                    + ", twice; the file at the hub or a proxy on the way is"
                                    + " damaged, try another endpoint or another network",
                            e);
                }
            }
        }
    }

    private void receiveAll(PartialFile partial, LongConsumer progress)
            throws WrongContentException, HubException, IOException, InterruptedException {
        long furthest = partial.length();
        while (partial.missing() > 0) {
            try {
                receive(partial, progress);
            } catch (TransientException e) {
                // A server that starts anew each time makes progress only past what had come before.
                if (partial.length() > furthest) {
                    furthest = partial.length();
                    retries.progressed();
                }
                retries.failed(e);
            }
        }
    }

    private void receive(PartialFile partial, LongConsumer progress)
            throws WrongContentException, TransientException, HubException, IOException, InterruptedException {
        long from = partial.length();
        try (HubResponse response = api.open(file, commit, from)) {
            if (response.status() == 200) {
                partial.restart();
                requireLength(response);
            } else if (response.status() == 416 || !continues(response, from)) {
                partial.restart();
                throw new TransientException(
                        HubClient.origin(response.uri()) + " did not send the bytes from " + from + " on");
            }
            progress.accept(partial.length());
            for (@Nullable ByteBuffer next = next(response); next != null; next = next(response)) {
                if (next.remaining() > partial.missing()) {
                    throw new WrongContentException(file.size() + " bytes", "more");
                }
                partial.append(next);
                progress.accept(partial.length());
            }
        }
        if (partial.missing() > 0) {
            throw new TransientException("the connection ended " + partial.missing() + " bytes early");
        }
    }

    /** Returns the next bytes; a failure to read is one of the network, unlike a failure to write. */
    private static @Nullable ByteBuffer next(HubResponse response) throws TransientException, InterruptedException {
        try {
            return response.body().next();
        } catch (IOException e) {
            throw new TransientException("the connection broke (" + e.getMessage() + ")", e);
        }
    }

    private void requireLength(HubResponse response) throws WrongContentException {
        long length = response.headers().firstValueAsLong("Content-Length").orElse(file.size());
        if (length != file.size()) {
            throw new WrongContentException(file.size() + " bytes", String.valueOf(length));
        }
    }

    /** Tells whether a partial response holds exactly the bytes from {@code from} to the end. */
    private boolean continues(HubResponse response, long from) {
        Matcher range = CONTENT_RANGE.matcher(response.header("Content-Range"));
        return range.matches()
                && Long.parseLong(range.group(1)) == from
                && Long.parseLong(range.group(2)) == file.size() - 1
                && Long.parseLong(range.group(3)) == file.size();
    }
}
