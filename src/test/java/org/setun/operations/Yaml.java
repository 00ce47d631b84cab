package org.setun.operations;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads YAML strictly: a key that stands twice in a mapping is an error. */
final class Yaml {

    private Yaml() {}

    static JsonNode read(Path file) {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        try (InputStream in = Files.newInputStream(file)) {
            Object document = new org.yaml.snakeyaml.Yaml(new SafeConstructor(options)).load(in);
            return JsonMapper.shared().valueToTree(document);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
