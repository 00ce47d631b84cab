package org.setun.operations;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Meter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.setun.metrics.SetunMeter;
import tools.jackson.databind.JsonNode;

/** The dashboard is as Grafana expects it, and it and the rules read only metrics that there are. */
final class DashboardTest {

    private static final int COLUMNS = 24;

    private final Dashboard dashboard = Dashboard.read();

    @Test
    void everyPanelHasItsOwnIdTitlePlaceAndDescription() {
        Set<Integer> ids = new HashSet<>();
        Set<String> titles = new HashSet<>();
        Set<Integer> cells = new HashSet<>();
        for (JsonNode panel : dashboard.document().path("panels")) {
            String title = panel.path("title").asString();
            assertThat(ids.add(panel.path("id").asInt()))
                    .as("the id of %s", title)
                    .isTrue();
            assertThat(titles.add(title)).as(title).isTrue();
            JsonNode place = panel.path("gridPos");
            for (int x = 0; x < place.path("w").asInt(); x++) {
                for (int y = 0; y < place.path("h").asInt(); y++) {
                    int column = place.path("x").asInt() + x;
                    assertThat(column).as("a column of %s", title).isLessThan(COLUMNS);
                    assertThat(cells.add((place.path("y").asInt() + y) * COLUMNS + column))
                            .as("%s covers another panel", title)
                            .isTrue();
                }
            }
        }
        assertThat(dashboard.panels()).isNotEmpty().allSatisfy(panel -> {
            assertThat(panel.path("description").asString())
                    .as(panel.path("title").asString())
                    .endsWith(".");
            assertThat(panel.path("datasource").path("uid").asString()).isEqualTo("${datasource}");
            List<String> references = new ArrayList<>();
            for (JsonNode target : panel.path("targets")) {
                references.add(target.path("refId").asString());
                assertThat(target.path("datasource").path("uid").asString()).isEqualTo("${datasource}");
            }
            assertThat(references).isNotEmpty().doesNotHaveDuplicates();
        });
    }

    @Test
    void itsVariablesAreTheDataSourceTheModelAndTheServer() {
        List<String> names = new ArrayList<>();
        for (JsonNode variable : dashboard.document().path("templating").path("list")) {
            names.add(variable.path("name").asString());
            // Else all servers would mean those of other programs, too, of which Prometheus has the JVM's metrics.
            assertThat(variable.has("allValue")).isFalse();
        }
        assertThat(names).containsExactly("datasource", "model", "instance");
        assertThat(dashboard.document().path("uid").asString()).isEqualTo("setun");
        assertThat(dashboard.queries())
                .allMatch(query -> !query.expression().contains("$"), "no other variable")
                .allMatch(query -> query.expression().contains("instance=~\".*\""), "for the chosen servers");
    }

    @Test
    void noHeatMapMixesNumbersAndNames() {
        assertThat(dashboard.panels())
                .filteredOn(panel -> panel.path("type").asString().equals("heatmap"))
                .flatExtracting(panel -> panel.path("targets").valueStream().toList())
                .extracting(target -> target.path("expr").asString())
                .filteredOn(expression -> expression.startsWith("sum by (layer)"))
                .isNotEmpty()
                // The output head is a layer of that name.
                .allMatch(expression -> expression.contains("layer=~\"[0-9]+\""));
    }

    @Test
    void noQueryAndNoRuleReadsAMetricThatIsNotThere() {
        Rules rules = Rules.read();
        Set<String> known = rules.recording().stream()
                .map(rule -> rule.path("record").asString())
                .collect(Collectors.toSet());
        for (SetunMeter meter : SetunMeter.values()) {
            known.addAll(series(meter));
        }
        Set<String> read = Stream.concat(
                        dashboard.queries().stream().map(Dashboard.Query::expression), rules.expressions())
                .flatMap(expression -> Dashboard.metrics(expression).stream())
                .filter(name -> name.startsWith("setun"))
                .collect(Collectors.toSet());

        assertThat(read).hasSizeGreaterThan(40).isSubsetOf(known);
    }

    @Test
    void everyMetricIsOnAPanel() {
        Set<String> read = dashboard.queries().stream()
                .flatMap(query -> Dashboard.metrics(query.expression()).stream())
                .collect(Collectors.toSet());

        assertThat(SetunMeter.values())
                // How long loading took is a thing of the log.
                .filteredOn(meter -> meter != SetunMeter.MODEL_LOAD_DURATION)
                .allSatisfy(
                        meter -> assertThat(series(meter)).as(meter.meterName()).containsAnyElementsOf(read));
    }

    /** Returns the names under which Prometheus sees a meter. */
    private static Set<String> series(SetunMeter meter) {
        String name = meter.meterName().replace('.', '_');
        String unit = meter.unit().isEmpty() || name.endsWith("_" + meter.unit()) ? "" : "_" + meter.unit();
        Set<String> series = new HashSet<>();
        if (meter.type() == Meter.Type.COUNTER) {
            series.add(name + unit + "_total");
        } else if (meter.type() == Meter.Type.GAUGE) {
            series.add(name + unit);
        } else {
            series.addAll(Set.of(name + unit + "_bucket", name + unit + "_count", name + unit + "_sum"));
        }
        return series;
    }
}
