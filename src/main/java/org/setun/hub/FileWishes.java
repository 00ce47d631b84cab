package org.setun.hub;

import java.util.List;
import java.util.Optional;

/**
 * Which files of a model a user wants. Without any wish: what Setun loads.
 *
 * @param includes patterns of names: all that match one, and nothing else
 * @param excludes patterns of names that are not wanted whatever else says so
 * @param weights the name of the file of weights to take, or of one part of them
 */
public record FileWishes(List<String> includes, List<String> excludes, Optional<String> weights) {

    /** No wish. */
    public static final FileWishes NONE = new FileWishes(List.of(), List.of(), Optional.empty());

    /** Checks that the wishes do not contradict each other. */
    public FileWishes {
        includes = List.copyOf(includes);
        excludes = List.copyOf(excludes);
        includes.forEach(Glob::of);
        excludes.forEach(Glob::of);
        if (!includes.isEmpty() && weights.isPresent()) {
            throw new IllegalArgumentException("expected patterns of all files or one file of weights, found both");
        }
    }
}
