package org.setun.architecture;

import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The checkpoints with known results under src/test/resources/golden. A missing one is an error. */
final class GoldenData {

    private static final Path ROOT = Path.of("src/test/resources/golden");

    private GoldenData() {}

    /** Returns a directory of the golden data. */
    static Path directory(String name) {
        Path directory = path(name);
        if (!Files.isDirectory(directory)) {
            throw new IllegalStateException("golden data is no directory: " + directory.toAbsolutePath());
        }
        return directory;
    }

    /** Returns a directory or a file of the golden data. */
    static Path path(String name) {
        Path path = ROOT.resolve(name);
        if (!Files.exists(path)) {
            throw new IllegalStateException("golden data is missing: " + path.toAbsolutePath());
        }
        return path;
    }

    /** Returns a list of integers out of a directory's expected.json. */
    static int[] integers(Path directory, String key) {
        JsonNode list =
                JsonMapper.shared().readTree(directory.resolve("expected.json")).get(key);
        return list.valueStream().mapToInt(JsonNode::intValue).toArray();
    }
}
