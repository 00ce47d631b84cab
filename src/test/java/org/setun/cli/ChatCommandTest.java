package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The command with the model that ships, through a pipe. */
@Timeout(120)
final class ChatCommandTest {

    private static final Path SHIPPED = Path.of("src/main/resources/models/setun-fairy");

    @TempDir
    private Path home;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final StringWriter err = new StringWriter();

    private int run(String input, String... arguments) {
        out.reset();
        InputStream in = new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8));
        PrintStream print = new PrintStream(out, false, StandardCharsets.UTF_8);
        return new CommandLine(new ChatCommand(in, print, false, Map.of(), home))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setErr(new PrintWriter(err))
                .setExecutionExceptionHandler((exception, failed, parsed) -> {
                    failed.getErr().println(exception.getMessage());
                    return 1;
                })
                .execute(arguments);
    }

    private String answers() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void answersAreThoseOfTheSeedAndDependOnWhatWasSaidBefore() throws Exception {
        String[] options = {"--seed", "3", "--max-tokens", "12"};
        assertThat(run("Once upon a time\nThe dog\n", options)).as("%s", err).isZero();
        String both = answers();
        assertThat(both.strip()).isNotEmpty();
        run("Once upon a time\nThe dog\n", options);
        assertThat(answers()).isEqualTo(both);
        run("Once upon a time\n", options);
        String first = answers();
        assertThat(both).startsWith(first);
        run("The dog\n", "--seed", "4", "--max-tokens", "12");
        assertThat(answers()).isNotEqualTo(both.substring(first.length()));
        try (Stream<Path> files = Files.list(home)) {
            assertThat(files).as("a pipe leaves no history").isEmpty();
        }
    }

    @Test
    void aSmallContextForgetsAndSaysSo() {
        assertThat(run(
                        "Once upon a time\nThe dog ran\nThe cat sat\n",
                        "--context",
                        "24",
                        "--max-tokens",
                        "8",
                        "--seed",
                        "1"))
                .isZero();
        assertThat(err.toString()).contains("outgrown the context of 24 tokens");
        assertThat(run("one " + "two ".repeat(40), "--context", "24")).isEqualTo(1);
        assertThat(err.toString()).contains("and the context is 24; it was not asked");
    }

    @Test
    void aModelWithoutAChatTemplateIsOneSentence() throws Exception {
        Path model = Files.createDirectories(home.resolve("model"));
        for (String name : List.of("config.json", "tokenizer.json", "model.safetensors")) {
            copy(name, model);
        }
        assertThat(run("Hello", "--model", model.toString())).isEqualTo(1);
        assertThat(err.toString())
                .isEqualTo(model + ": expected a chat template, found none; use a model made for conversations, or"
                        + " continue texts with setun generate" + System.lineSeparator());
        assertThat(answers()).isEmpty();
    }

    private static void copy(String name, Path directory) throws IOException {
        Files.copy(SHIPPED.resolve(name), directory.resolve(name));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --context 1 | --context: expected 2 or more, found 1
            --max-tokens 0 | --max-tokens: expected 1 or more, found 0
            --temperature -1 | temperature: expected 0 to 100, found -1.0
            --top-p 0 | top_p: expected more than 0 and at most 1, found 0.0
            --history x --no-history | --history: expected no --no-history beside it, found x
            --seed x | Invalid value for option '--seed': 'x' is not a long
            """)
    void aWrongCommandLineIsRefusedInASentence(String arguments, String message) {
        assertThat(run("Hello", arguments.split(" "))).isEqualTo(2);
        assertThat(answers()).isEmpty();
        assertThat(err.toString()).startsWith(message);
    }

    @Test
    void helpExplainsTheOptions() {
        assertThat(new CommandLine(new ChatCommand()).getUsageMessage())
                .contains("--model", "--system", "--temperature", "--top-k", "--top-p", "--seed", "--max-tokens")
                .contains("--context", "--history", "--no-history", "XDG_STATE_HOME", "/help");
    }
}
