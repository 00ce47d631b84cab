package org.setun.helm;

import static org.assertj.core.api.Assertions.assertThat;

import com.marcnuri.helm.Helm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The chart's values, their schema and its README say the same, and its version is the build's. */
final class ChartDocumentsTest {

    private static final int MOST_LINES = 150;
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `([^`]+)` \\| `([^`]*)` \\| (.*) \\|$");

    private final JsonNode schema = Chart.read("values.schema.json");
    private final JsonNode values = Chart.read("values.yaml");
    private final String readme = Chart.text(Chart.DIRECTORY.resolve("README.md"));

    @Test
    void everyValueHasADescriptionAndADefault() {
        Map<String, JsonNode> described = leaves(schema);
        assertThat(described.keySet())
                .isNotEmpty()
                .allSatisfy(name -> assertThat(values.at(pointer(name)).isMissingNode())
                        .as("%s in values.yaml", name)
                        .isFalse());
    }

    @Test
    void everyDefaultIsDescribed() {
        assertKnown("", values, schema);
    }

    @Test
    void theTableOfTheReadmeHasEveryValueItsDefaultAndItsDescription() {
        Map<String, JsonNode> described = leaves(schema);
        Map<String, String> expected = new LinkedHashMap<>();
        described.forEach((name, leaf) -> expected.put(
                name, values.at(pointer(name)) + " " + leaf.path("description").asString()));
        Map<String, String> found = new LinkedHashMap<>();
        Matcher row = ROW.matcher(readme);
        while (row.find()) {
            found.put(row.group(1), JsonMapper.shared().readTree(row.group(2)) + " " + row.group(3));
        }
        assertThat(found).containsExactlyEntriesOf(expected);
    }

    @Test
    void everyScenarioSaysWhatItIsAndTheReadmeNamesIt() {
        for (String scenario : Chart.scenarios()) {
            assertThat(Chart.text(Chart.DIRECTORY.resolve("ci", scenario + "-values.yaml")))
                    .startsWith("# ");
            assertThat(readme).contains("[" + scenario + "](ci/" + scenario + "-values.yaml)");
        }
    }

    @Test
    void theValuesFitOnAPageOrTwo() {
        assertThat(Chart.text(Chart.DIRECTORY.resolve("values.yaml")).lines().count())
                .isLessThanOrEqualTo(MOST_LINES);
    }

    @Test
    void theVersionsAreThatOfTheBuild() {
        Matcher version = Pattern.compile("<artifactId>setun</artifactId>\\s*<version>([^<]+)</version>")
                .matcher(Chart.text(Path.of("pom.xml")));
        assertThat(version.find()).isTrue();
        JsonNode chart = Chart.read("Chart.yaml");
        assertThat(List.of(
                        chart.path("version").asString(),
                        chart.path("appVersion").asString()))
                .containsOnly(version.group(1));
    }

    @Test
    void whatIsPackagedIsWhatWasTested(@TempDir Path shelf) {
        new Helm(Chart.DIRECTORY.toAbsolutePath())
                .packageIt()
                .withDestination(shelf)
                .call();
        Path chart = shelf.resolve(
                "setun-" + Chart.read("Chart.yaml").path("version").asString() + ".tgz");
        assertThat(Chart.renderAt(chart, "monitoring", command -> command)).isEqualTo(Chart.render("monitoring"));
    }

    @Test
    void theReadmeNamesOnlyFilesThatAreThere() {
        Matcher link = Pattern.compile("\\]\\(([^)#:]+)\\)").matcher(readme);
        assertThat(link.results().map(found -> found.group(1)))
                .isNotEmpty()
                .allSatisfy(file -> assertThat(Files.exists(Chart.DIRECTORY.resolve(file)))
                        .as(file)
                        .isTrue());
    }

    /** Returns what the schema describes and does not divide further, by dotted names, in order. */
    private static Map<String, JsonNode> leaves(JsonNode schema) {
        Map<String, JsonNode> leaves = new LinkedHashMap<>();
        collect("", schema, leaves);
        // Helm gives it to every chart.
        leaves.remove("global");
        return leaves;
    }

    private static void collect(String prefix, JsonNode schema, Map<String, JsonNode> leaves) {
        schema.path("properties").properties().forEach(property -> {
            String name = prefix + property.getKey();
            assertThat(property.getValue().path("description").asString(""))
                    .as("%s: description", name)
                    .endsWith(".");
            if (isGroup(name, property.getValue())) {
                assertThat(property.getValue().path("additionalProperties").asBoolean(true))
                        .as("%s: additionalProperties", name)
                        .isFalse();
                collect(name + ".", property.getValue(), leaves);
            } else {
                leaves.put(name, property.getValue());
            }
        });
    }

    /** Kubernetes' own structures are given as a whole. */
    private static boolean isGroup(String name, JsonNode schema) {
        return schema.has("properties") && !name.equals("resources");
    }

    private static void assertKnown(String prefix, JsonNode values, JsonNode schema) {
        for (Map.Entry<String, JsonNode> value : values.properties()) {
            String name = prefix + value.getKey();
            JsonNode known = schema.path("properties").path(value.getKey());
            assertThat(known.isMissingNode())
                    .as("%s in values.schema.json", name)
                    .isFalse();
            if (isGroup(name, known)) {
                assertKnown(name + ".", value.getValue(), known);
            }
        }
    }

    private static String pointer(String name) {
        return "/" + name.replace('.', '/');
    }
}
