package org.setun.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The dashboard is as Grafana expects it. */
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
        }
        assertThat(names).containsExactly("datasource", "model", "instance");
        assertThat(dashboard.document().path("uid").asString()).isEqualTo("setun");
        assertThat(dashboard.queries())
                .allMatch(query -> !query.expression().contains("$"), "no other variable")
                .allMatch(query -> query.expression().contains("instance=~\".*\""), "for the chosen servers");
    }
}
