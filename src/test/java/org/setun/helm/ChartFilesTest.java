package org.setun.helm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the chart has from elsewhere in the tree is the same as there: a chart cannot reach out of its directory. */
final class ChartFilesTest {

    private static final Path DOCKER = Path.of("src", "main", "docker");

    @ParameterizedTest
    @CsvSource({"prometheus/rules.yml, files/rules.yml", "grafana/dashboards/setun.json, files/dashboard.json"})
    void theCopyIsTheSame(Path source, Path copy) {
        Path from = DOCKER.resolve(source);
        Path to = Chart.DIRECTORY.resolve(copy);
        assertThat(Chart.text(to).equals(Chart.text(from)))
                .as("%s is as %s; if not: cp %s %s", to, from, from, to)
                .isTrue();
    }

    @Test
    void rulesAndDashboardArriveAsTheyAre() {
        Rendering chart = Chart.render("monitoring");
        assertThat(chart.only("PrometheusRule").path("spec")).isEqualTo(Chart.read("files/rules.yml"));
        JsonNode dashboard = chart.all("ConfigMap")
                .filter(map -> map.at("/metadata/labels/grafana_dashboard")
                        .asString("")
                        .equals("1"))
                .findFirst()
                .orElseThrow();
        assertThat(JsonMapper.shared().readTree(dashboard.at("/data/setun.json").asString()))
                .isEqualTo(Chart.read("files/dashboard.json"));
    }

    @Test
    void podsRunAsTheImagesUser() {
        Matcher user = Pattern.compile("(?m)^USER (\\d+):(\\d+)$").matcher(Chart.text(Path.of("Dockerfile")));
        assertThat(user.find()).isTrue();
        JsonNode values = Chart.read("values.yaml");
        assertThat(values.path("runAsUser").asString()).isEqualTo(user.group(1));
        assertThat(values.path("fsGroup").asString()).isEqualTo(user.group(2));
    }

    @Test
    void theImageTakesTheCommandsThatTheChartGives() {
        String dockerfile = Chart.text(Path.of("Dockerfile"));
        assertThat(dockerfile)
                .containsPattern("(?m)^ENTRYPOINT \\[.*setun\\.jar\"]$")
                .containsPattern("(?m)^CMD \\[\"serve\"]$");
        assertThat(dockerfile)
                .contains("EXPOSE "
                        + Chart.render("default")
                                .server()
                                .at("/ports/0/containerPort")
                                .asInt());
    }
}
