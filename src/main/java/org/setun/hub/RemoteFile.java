package org.setun.hub;

/**
 * A file of a model as the hub lists it.
 *
 * @param path its name in the repository, unchecked: see {@link RepositoryPath}
 * @param size its bytes
 * @param checksum what its bytes must come to
 */
record RemoteFile(String path, long size, Checksum checksum) {

    RemoteFile {
        if (size < 0) {
            throw new IllegalArgumentException("expected a size of 0 or more, found " + size);
        }
    }

    /** Tells whether it lies at the top of the repository, where a loader looks. */
    boolean isTopLevel() {
        return path.indexOf('/') < 0;
    }
}
