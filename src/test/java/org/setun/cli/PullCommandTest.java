package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.hub.FakeHub;
import picocli.CommandLine;

/** The words of {@code pull}: its options, its variables and what it prints where. */
@Timeout(60)
final class PullCommandTest {

    @TempDir
    private Path home;

    private FakeHub hub;
    private String commit = "";
    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void start() throws Exception {
        hub = FakeHub.start("acme/tern");
        commit = hub.put("config.json", "{}")
                .put("README.md", "words")
                .putLarge("model.safetensors", new byte[1000])
                .commit();
        environment.put("HF_ENDPOINT", hub.endpoint().toString());
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private int run(String... arguments) {
        CommandLine command = new CommandLine(new PullCommand(environment, home));
        command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return command.execute(arguments);
    }

    @Test
    void printsThePathOnStandardOutputAndTheRestOnStandardError() {
        assertThat(run("acme/tern")).isZero();
        Path expected = home.resolve(".cache/setun/models/acme/tern");
        assertThat(out).hasToString(expected + System.lineSeparator());
        assertThat(err.toString().lines())
                .containsExactly(
                        "acme/tern: 3 files of commit " + commit.substring(0, 12) + ", 0.0 MB of them fetched now, in "
                                + expected,
                        "serve it with: setun serve --setun.model.path=" + expected);
        assertThat(expected.resolve("model.safetensors")).hasBinaryContent(new byte[1000]);
    }

    @Test
    void quietPrintsThePathAlone() {
        assertThat(run("acme/tern", "--quiet")).isZero();
        assertThat(out.toString().lines()).hasSize(1);
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void modelsLieWhereTheVariableOrTheOptionSays() {
        environment.put("SETUN_MODELS", home.resolve("models").toString());
        assertThat(run("acme/tern")).isZero();
        assertThat(home.resolve("models/acme/tern/config.json")).exists();
        assertThat(run("acme/tern", "--dir", home.resolve("own").toString())).isZero();
        assertThat(home.resolve("own/config.json")).exists();
        assertThat(out.toString().lines())
                .containsExactly(
                        home.resolve("models/acme/tern").toString(),
                        home.resolve("own").toString());
    }

    @Test
    void optionsChooseRevisionFilesAndHub() throws Exception {
        environment.put("HF_ENDPOINT", "http://127.0.0.1:1");
        assertThat(run(
                        "acme/tern",
                        "--endpoint",
                        hub.endpoint() + "/",
                        "--revision",
                        commit,
                        "--include",
                        "*.md",
                        "--include",
                        "*.json",
                        "--exclude",
                        "config*"))
                .isZero();
        try (var files = Files.list(home.resolve(".cache/setun/models/acme/tern"))) {
            assertThat(files.map(file -> String.valueOf(file.getFileName())))
                    .containsExactlyInAnyOrder("README.md", ".setun-pull");
        }
        assertThat(hub.requests().getFirst().path()).contains("/revision/" + commit);
        // No weights, so nothing to serve.
        assertThat(err.toString()).doesNotContain("serve it");
    }

    @Test
    void theTokenIsSentAndNeverShown() {
        environment.put("HF_TOKEN", "hf_secret");
        assertThat(run("acme/tern")).isZero();
        assertThat(run("no/body")).isEqualTo(1);
        assertThat(hub.requests().getLast().header("Authorization")).isEqualTo("Bearer hf_secret");
        assertThat(out.toString() + err).doesNotContain("hf_secret");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "tern",
                "acme/tern extra",
                "acme/tern@v1 --revision v2",
                "acme/tern --include [z-a]",
                "acme/tern --include *.json --file x.gguf",
                "acme/tern:I2_S --file x.gguf",
                "acme/tern:I2_S --include *.gguf",
                "acme/tern --endpoint huggingface.co",
                "acme/tern --no-such-option"
            })
    void aWrongCommandLineExitsWithTwoAndAsksNobody(String line) {
        List<String> arguments = new ArrayList<>(List.of(line.split(" ", -1)));
        arguments.removeIf(String::isEmpty);
        assertThat(run(arguments.toArray(String[]::new))).isEqualTo(2);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).contains("Usage: pull");
        assertThat(hub.requests()).isEmpty();
    }

    @Test
    void aWrongEndpointNamesItsOption() {
        assertThat(run("acme/tern", "--endpoint", "huggingface.co")).isEqualTo(2);
        assertThat(err.toString()).startsWith("--endpoint: expected an address such as https://huggingface.co");
    }

    @Test
    void helpExplainsTheOptionsAndTheVariables() {
        CommandLine command = new CommandLine(new PullCommand(environment, home));
        String usage = command.getUsageMessage();
        assertThat(usage)
                .contains("--revision", "--include", "--exclude", "--file", "--dir", "--endpoint", "--force", "--quiet")
                .contains("HF_ENDPOINT", "HF_TOKEN", "SETUN_MODELS");
    }
}
