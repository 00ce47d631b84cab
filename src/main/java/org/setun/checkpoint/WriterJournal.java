package org.setun.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * What a resumable writer has completed: a line that says what is being written, and a checksum for each tensor that has data. Locked
 * while it is open, so that two processes never write one file.
 */
final class WriterJournal implements AutoCloseable {

    private final Path file;
    private final FileChannel channel;
    private final String identity;
    private final List<String> completed;

    private WriterJournal(Path file, FileChannel channel, String identity, List<String> completed) {
        this.file = file;
        this.channel = channel;
        this.identity = identity;
        this.completed = completed;
    }

    /**
     * Opens the journal in {@code file}, which need not exist.
     *
     * @param identity one line; a journal of another one counts as empty
     * @throws FileSystemException if another writer holds it
     */
    static WriterJournal open(Path file, String identity) throws IOException {
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            if (!locked(channel)) {
                throw new FileSystemException(file.toString(), null, "another process is writing here");
            }
            String text = new String(readAll(channel), StandardCharsets.UTF_8);
            // What comes after the last line's end was cut off while it was written.
            List<String> lines =
                    text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
            boolean same = !lines.isEmpty() && lines.getFirst().equals(identity);
            return new WriterJournal(file, channel, identity, same ? lines.subList(1, lines.size()) : List.of());
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private static byte[] readAll(FileChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(channel.size()));
        while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
            // A read may stop short of the end.
        }
        return bytes.array();
    }

    /** Returns the checksums that the journal had when it was opened, in the order of the tensors. */
    List<String> completed() {
        return completed;
    }

    /** Forgets all but the first {@code count} checksums; to be called once, before {@link #append}. */
    void keep(int count) throws IOException {
        channel.truncate(0);
        write(identity);
        for (String digits : completed.subList(0, count)) {
            write(digits);
        }
    }

    /** Notes that the next tensor is complete. */
    void append(String digits) throws IOException {
        write(digits);
    }

    private void write(String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + '\n').getBytes(StandardCharsets.UTF_8));
        channel.position(channel.size());
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Removes the journal: the file is complete. */
    void delete() throws IOException {
        Files.deleteIfExists(file);
        channel.close();
    }

    /** Closes the journal, which stays. Closing twice does nothing. */
    @Override
    public void close() throws IOException {
        channel.close();
    }
}
