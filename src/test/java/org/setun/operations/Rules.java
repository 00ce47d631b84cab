package org.setun.operations;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * Prometheus' rules as a file.
 *
 * @param recording those that make series
 * @param alerts those that rise
 */
record Rules(List<JsonNode> recording, List<JsonNode> alerts) {

    static final Path FILE = Path.of("src/main/docker/prometheus/rules.yml");

    static Rules read() {
        List<JsonNode> recording = new ArrayList<>();
        List<JsonNode> alerts = new ArrayList<>();
        for (JsonNode group : Yaml.read(FILE).path("groups")) {
            for (JsonNode rule : group.path("rules")) {
                (rule.has("record") ? recording : alerts).add(rule);
            }
        }
        return new Rules(recording, alerts);
    }

    /** Returns the expressions of all rules. */
    Stream<String> expressions() {
        return Stream.concat(recording.stream(), alerts.stream())
                .map(rule -> rule.path("expr").asString());
    }
}
