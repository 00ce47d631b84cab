package org.setun.operations;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The Grafana dashboard as a file, and what it asks Prometheus for. */
record Dashboard(JsonNode document) {

    static final Path FILE = Path.of("src/main/docker/grafana/dashboards/setun.json");

    /** In place of variables where all models and all servers are chosen, of which Grafana makes a list that means the same here. */
    private static final Map<String, String> VARIABLES =
            Map.of("$model", ".*", "$instance", ".*", "$__rate_interval", "30s");

    /** The names of what Setun and its JVM expose, in a query. */
    private static final Pattern METRIC =
            Pattern.compile("\\b(setun|jvm|process|system|application)[_:][a-z0-9_:]+\\b(?!\\s*[=!~(])");

    /**
     * What one panel asks for.
     *
     * @param panel its title
     * @param expression as Prometheus gets it
     */
    record Query(String panel, String expression) {}

    static Dashboard read() {
        return new Dashboard(JsonMapper.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build()
                .readTree(FILE));
    }

    /** Returns all panels but rows. */
    List<JsonNode> panels() {
        List<JsonNode> panels = new ArrayList<>();
        for (JsonNode panel : document.path("panels")) {
            if (!panel.path("type").asString().equals("row")) {
                panels.add(panel);
            }
        }
        return panels;
    }

    /** Returns the queries of all panels. */
    List<Query> queries() {
        List<Query> queries = new ArrayList<>();
        for (JsonNode panel : panels()) {
            for (JsonNode target : panel.path("targets")) {
                String expression = target.path("expr").asString();
                for (Map.Entry<String, String> variable : VARIABLES.entrySet()) {
                    expression = expression.replace(variable.getKey(), variable.getValue());
                }
                queries.add(new Query(panel.path("title").asString(), expression));
            }
        }
        return queries;
    }

    /** Returns the names of all metrics that an expression reads. */
    static Set<String> metrics(String expression) {
        Set<String> names = new TreeSet<>();
        Matcher metric = METRIC.matcher(expression.replaceAll("\"[^\"]*\"", "\"\""));
        while (metric.find()) {
            names.add(metric.group());
        }
        return names;
    }
}
