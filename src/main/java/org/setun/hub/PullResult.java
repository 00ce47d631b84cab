package org.setun.hub;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What a pull has come to.
 *
 * @param directory where the files lie
 * @param model what to give to a loader: the directory, or the file of weights where the directory holds several models;
 *     empty where no weights were pulled
 * @param commit the commit that the files are of
 * @param files how many were selected
 * @param fetchedBytes how many bytes came over the network and are part of them
 */
public record PullResult(Path directory, Optional<Path> model, String commit, int files, long fetchedBytes) {}
