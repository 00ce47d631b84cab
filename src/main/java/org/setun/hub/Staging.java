package org.setun.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The directory {@code .setun-pull} inside a model's, where files lie until all are complete. One pull at a time holds it.
 * Every file in it bears its checksum in its name, so that what was fetched of one version is never continued with another,
 * and what two versions share is fetched once.
 */
final class Staging implements AutoCloseable {

    private static final String LOCK = "lock";
    private static final String MANIFEST = "manifest.json";
    private static final String PARTIAL = ".partial";
    private static final int NAME_DIGITS = 16;

    private final Path directory;
    private final FileChannel channel;
    private Optional<PullManifest> manifest;

    private Staging(Path directory, FileChannel channel) throws IOException {
        this.directory = directory;
        this.channel = channel;
        this.manifest = PullManifest.read(directory.resolve(MANIFEST));
    }

    /**
     * Makes and locks the staging directory of {@code target}; the caller closes it.
     *
     * @throws HubException if another pull holds it
     */
    static Staging lock(Path target) throws HubException, IOException {
        Path directory = target.resolve(RepositoryPath.RESERVED);
        Files.createDirectories(directory);
        FileChannel channel =
                FileChannel.open(directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (isFree(channel)) {
                return new Staging(directory, channel);
            }
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
        channel.close();
        throw HubException.mismatch(
                target.toString(), "one pull at a time", "another one at work", "wait for it, or choose another --dir");
    }

    private static boolean isFree(FileChannel channel) throws IOException {
        try {
            @Nullable FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    Optional<PullManifest> manifest() {
        return manifest;
    }

    void write(PullManifest replacement) throws IOException {
        replacement.write(directory.resolve(MANIFEST));
        manifest = Optional.of(replacement);
    }

    /** Returns where {@code file} lies when it is complete. */
    Path complete(RemoteFile file) {
        MessageDigest path = Checksum.Kind.SHA256.start(0);
        path.update(file.path().getBytes(StandardCharsets.UTF_8));
        String name = HexFormat.of().formatHex(path.digest()).substring(0, NAME_DIGITS);
        return directory.resolve(file.checksum().hex() + "-" + name);
    }

    /** Returns where {@code file} lies until it is complete. */
    Path partial(RemoteFile file) {
        Path complete = complete(file);
        return complete.resolveSibling(complete.getFileName() + PARTIAL);
    }

    boolean isComplete(RemoteFile file) throws IOException {
        Path complete = complete(file);
        return Files.isRegularFile(complete) && Files.size(complete) == file.size();
    }

    /** Returns how many bytes of {@code file} an earlier pull has left. */
    long partialBytes(RemoteFile file) throws IOException {
        if (isComplete(file)) {
            return file.size();
        }
        Path partial = partial(file);
        return Files.isRegularFile(partial) && Files.size(partial) <= file.size() ? Files.size(partial) : 0;
    }

    /** Notes that the partial file is verified. */
    void completed(RemoteFile file) throws IOException {
        Files.move(partial(file), complete(file), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Deletes what there is of {@code file}. */
    void discard(RemoteFile file) throws IOException {
        Files.deleteIfExists(partial(file));
        Files.deleteIfExists(complete(file));
    }

    /** Deletes what is left of other versions. */
    void clear() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                String name = String.valueOf(file.getFileName());
                if (!name.equals(LOCK) && !name.equals(MANIFEST)) {
                    Files.delete(file);
                }
            }
        }
    }

    /** Lets the next pull in. */
    @Override
    public void close() throws IOException {
        channel.close();
    }
}
