package org.setun.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;

/**
 * A file on its way: what has come of it lies on the disk, and its digest is carried along. What an earlier process left is
 * read once, to take up its digest.
 */
final class PartialFile implements AutoCloseable {

    private static final int BUFFER_BYTES = 1 << 20;

    private final RemoteFile file;
    private final FileChannel channel;
    private MessageDigest digest;
    private long length;

    private PartialFile(RemoteFile file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
        this.digest = file.checksum().kind().start(file.size());
    }

    /** Opens what there is of {@code file} at {@code path}, or starts it; the caller closes it. */
    static PartialFile open(Path path, RemoteFile file) throws IOException {
        FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        PartialFile partial = new PartialFile(file, channel);
        try {
            partial.takeUp();
            return partial;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private void takeUp() throws IOException {
        if (channel.size() > file.size()) {
            restart();
            return;
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
        while (channel.read(buffer) >= 0) {
            buffer.flip();
            length += buffer.remaining();
            digest.update(buffer);
            buffer.clear();
        }
    }

    /** Returns how many bytes there are. */
    long length() {
        return length;
    }

    /** Returns how many bytes are missing. */
    long missing() {
        return file.size() - length;
    }

    /** Adds the next bytes; the buffer is taken to its end. */
    void append(ByteBuffer bytes) throws IOException {
        digest.update(bytes.duplicate());
        while (bytes.hasRemaining()) {
            length += channel.write(bytes);
        }
    }

    /** Forgets all bytes. */
    void restart() throws IOException {
        channel.truncate(0);
        channel.position(0);
        digest = file.checksum().kind().start(file.size());
        length = 0;
    }

    /** Returns what all bytes come to, and forces them to the disk. Ends the digest: only {@link #restart} may follow. */
    Checksum finish() throws IOException {
        channel.force(true);
        return file.checksum().kind().finish(digest);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
