package org.setun.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Says how many bytes still fit on the disk of a directory. */
@FunctionalInterface
interface FreeSpace {

    /** The real disk. */
    FreeSpace REAL = directory -> Files.getFileStore(directory).getUsableSpace();

    /** Returns the bytes that this process may still write under {@code directory}. */
    long bytes(Path directory) throws IOException;
}
