package org.setun.checkpoint;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;

/** Finds the golden files among the test resources. */
final class GoldenFiles {

    private GoldenFiles() {}

    /** Returns the path of {@code golden/name}, and fails if there is none. */
    static Path path(String name) {
        URL resource = GoldenFiles.class.getResource("/golden/" + name);
        if (resource == null) {
            throw new AssertionError("golden file " + name + " is missing");
        }
        try {
            return Path.of(resource.toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }
}
