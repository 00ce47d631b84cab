package org.setun.cli.chat;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Makes the file of typed lines, which are nobody else's business. */
final class HistoryFile {

    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    private HistoryFile() {}

    /**
     * Makes {@code file} where it is not there yet, and the directories above it; only its owner may read it, where the system knows
     * owners.
     *
     * @throws IOException if it cannot be made or written
     */
    static void require(Path file) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        if (directory != null) {
            Files.createDirectories(directory);
        }
        boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
        FileAttribute<?>[] attributes = posix
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER_ONLY)}
                : new FileAttribute<?>[0];
        try {
            Files.createFile(file, attributes);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isRegularFile(file) || !Files.isWritable(file)) {
                throw new IOException(file + ": expected a file that can be written", e);
            }
        }
    }

    /** Returns what is wrong with {@code file}, in words: the system's own exceptions often have the name alone. */
    static String problem(Path file, IOException e) {
        return switch (e) {
            case FileAlreadyExistsException exists -> exists.getFile() + ": expected a directory";
            case NotDirectoryException none -> none.getFile() + ": expected a directory";
            default -> e.getMessage() == null || e.getMessage().equals(file.toString()) ? e.toString() : e.getMessage();
        };
    }
}
