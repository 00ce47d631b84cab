package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.helm.Chart;
import org.setun.helm.Rendering;
import org.setun.hub.FakeHub;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import tools.jackson.databind.JsonNode;

/** What the chart's first container fetches lies where its server looks for it. */
@Timeout(60)
final class ChartPullTest {

    @TempDir
    private Path root;

    @ParameterizedTest
    @CsvSource({
        "'', acme/tern@main, '', ''",
        "'', acme/tern:TQ2_0, '', ''",
        "'', acme/tern, tern-TQ1_0.gguf, ''",
        "acme/tern:TQ1_0, acme/tern:TQ2_0, '', tern-TQ2_0.gguf"
    })
    void theServerIsToldThePathThatPullPrints(String before, String model, String file, String path) throws Exception {
        try (FakeHub hub = FakeHub.start("acme/tern")) {
            if (model.endsWith("@main")) {
                hub.put("config.json", "{}").putLarge("model.safetensors", new byte[1000]);
            } else {
                hub.putLarge("tern-TQ2_0.gguf", new byte[1000]).putLarge("tern-TQ1_0.gguf", new byte[900]);
            }
            hub.commit();
            if (!before.isEmpty()) {
                // What an older version of the release has left on the claim.
                pull(chart(hub, before, "", ""));
            }
            Rendering chart = chart(hub, model, file, path);
            assertThat(chart.applicationYaml().replace("/models", root + "/models"))
                    .contains("setun.model.path: \"" + pull(chart) + "\"");
        }
    }

    private static Rendering chart(FakeHub hub, String model, String file, String path) {
        return Chart.render(
                "hub",
                command -> command.set("model.hub.model", model)
                        .set("model.hub.file", file)
                        .set("model.hub.endpoint", hub.endpoint())
                        .set("model.path", path));
    }

    /** Runs what the first container runs, with its variables, and returns the path that it prints. */
    private String pull(Rendering chart) {
        JsonNode container = chart.containers().getFirst();
        Map<String, String> environment = new HashMap<>();
        container
                .path("env")
                .valueStream()
                .filter(variable -> variable.has("value"))
                .forEach(variable -> {
                    String value = variable.path("value").asString();
                    environment.put(variable.path("name").asString(), value.replace("/models", root + "/models"));
                });
        // The hub of this test is reached without it.
        environment.remove("HTTPS_PROXY");
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> words =
                container.path("args").valueStream().map(JsonNode::asString).toList();
        assertThat(words.getFirst())
                .isEqualTo(PullCommand.class.getAnnotation(Command.class).name());
        int exit = new CommandLine(new PullCommand(environment, root))
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(words.subList(1, words.size()).toArray(String[]::new));
        assertThat(exit).as(err.toString()).isZero();
        return out.toString().strip();
    }
}
