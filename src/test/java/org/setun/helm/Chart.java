package org.setun.helm;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import com.marcnuri.helm.TemplateCommand;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The chart in {@code helm/setun}, rendered by Helm itself, which needs no cluster for it. */
public final class Chart {

    static final Path DIRECTORY = Path.of("helm", "setun");
    static final String RELEASE = "tales";
    static final String NAMESPACE = "llm";

    private static final String SCENARIO_SUFFIX = "-values.yaml";
    private static final JsonMapper JSON = JsonMapper.shared();

    private Chart() {}

    /** Returns the names of the scenarios in {@code ci}, in order. */
    public static List<String> scenarios() {
        try (Stream<Path> files = Files.list(DIRECTORY.resolve("ci"))) {
            return files.map(file -> file.getFileName().toString())
                    .map(name -> name.substring(0, name.length() - SCENARIO_SUFFIX.length()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns what the chart makes of a scenario. */
    public static Rendering render(String scenario) {
        return render(scenario, command -> command);
    }

    /** Returns what the chart makes of a scenario with {@code more} values. */
    public static Rendering render(String scenario, UnaryOperator<TemplateCommand> more) {
        return renderAt(DIRECTORY, scenario, more);
    }

    /** Returns what the chart that lies in {@code chart} makes of a scenario of ours with {@code more} values. */
    static Rendering renderAt(Path chart, String scenario, UnaryOperator<TemplateCommand> more) {
        TemplateCommand command = new Helm(chart.toAbsolutePath())
                .template()
                .withName(RELEASE)
                .withNamespace(NAMESPACE)
                .withKubeVersion("1.34.0")
                .withValuesFile(valuesFile(scenario));
        String text = more.apply(command).call();
        return new Rendering(StreamSupport.stream(yaml().loadAll(text).spliterator(), false)
                .filter(document -> document != null)
                .map(Chart::json)
                .toList());
    }

    /** Returns what {@code helm install} would print after a scenario. */
    static String notes(String scenario) {
        return new Helm(DIRECTORY.toAbsolutePath())
                .install()
                .withName(RELEASE)
                .withNamespace(NAMESPACE)
                .withKubeVersion("1.34.0")
                .withValuesFile(valuesFile(scenario))
                .clientOnly()
                .dryRun()
                .call()
                .getOutput();
    }

    /** Returns what {@code helm lint --strict} says of the chart and its default values. */
    static LintResult lint() {
        return new Helm(DIRECTORY.toAbsolutePath()).lint().strict().call();
    }

    /** Reads a YAML file of the chart. */
    static JsonNode read(String file) {
        return read(DIRECTORY.resolve(file));
    }

    /** Reads a YAML or JSON file. */
    static JsonNode read(Path file) {
        return parse(text(file));
    }

    /** Reads a YAML or JSON document. */
    static JsonNode parse(String text) {
        Object document = yaml().load(text);
        return json(document == null ? Map.of() : document);
    }

    /** Returns the text of a file. */
    static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path valuesFile(String scenario) {
        return DIRECTORY.resolve("ci", scenario + SCENARIO_SUFFIX).toAbsolutePath();
    }

    private static Yaml yaml() {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        return new Yaml(new SafeConstructor(options));
    }

    private static JsonNode json(Object document) {
        return JSON.valueToTree(document);
    }
}
