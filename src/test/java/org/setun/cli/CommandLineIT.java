package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.foreign.ValueLayout;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.setun.checkpoint.Checkpoint;
import org.setun.cli.PackagedSetun.Result;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands of the packaged jar, run as a user runs them. */
@Timeout(300)
final class CommandLineIT {

    private static final Path GOLDEN = Path.of("src/test/resources/golden/mmfree-tiny/f32");
    private static final JsonMapper JSON = new JsonMapper();

    @Test
    void helpNamesEveryCommand() throws Exception {
        Result result = PackagedSetun.run("--help");
        assertThat(result.exitCode()).isZero();
        List<String> commands = List.of(
                "serve",
                "pull",
                "convert",
                "inspect",
                "logits",
                "generate",
                "chat",
                "perplexity",
                "bench",
                "aot-cache");
        assertThat(result.out()).contains(commands);
        assertThat(result.err()).isEmpty();
        for (String command : commands) {
            assertThat(PackagedSetun.run(command, "--help").exitCode()).isZero();
        }
    }

    @Test
    void aWrongCommandLineExitsWithTwoAndNothingOnStandardOutput() throws Exception {
        Result result = PackagedSetun.run("logits", "--tokens", "one");
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("--tokens").contains("one");
    }

    @Test
    void anImpossibleKernelOrThreadCountIsAWrongCommandLine() throws Exception {
        Result kernel = PackagedSetun.run("logits", "--tokens", "1", "--kernel", "abacus");
        assertThat(kernel.exitCode()).isEqualTo(2);
        assertThat(kernel.err()).startsWith("--kernel: kernel \"abacus\" is not possible here");
        Result threads = PackagedSetun.run("logits", "--tokens", "1", "--threads", "0");
        assertThat(threads.exitCode()).isEqualTo(2);
        assertThat(threads.err()).startsWith("--threads: expected 1 or more, found 0");
        Result sparsity = PackagedSetun.run("logits", "--tokens", "1", "--activation-sparsity", "1");
        assertThat(sparsity.exitCode()).isEqualTo(2);
        assertThat(sparsity.err()).startsWith("--activation-sparsity: expected at least 0 and less than 1, found 1.0");
    }

    @Test
    void inspectsTheModelThatShipsWhereNoneIsNamed() throws Exception {
        Result result = PackagedSetun.run("inspect", "--json");
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isZero();
        JsonNode report = JSON.readTree(result.out());
        assertThat(report.get("path").stringValue()).isEqualTo("setun-fairy");
        assertThat(report.get("runs").booleanValue()).isTrue();
    }

    @Test
    void aMissingModelIsOneSentence() throws Exception {
        Result result = PackagedSetun.run("inspect", "/no/such/model");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err().lines()).hasSize(1);
        assertThat(result.err()).contains("/no/such/model");
    }

    @Test
    void aTruncatedModelIsOneSentence(@TempDir Path directory) throws Exception {
        Files.copy(GOLDEN.resolve("config.json"), directory.resolve("config.json"));
        byte[] whole = Files.readAllBytes(GOLDEN.resolve("model.safetensors"));
        Files.write(directory.resolve("model.safetensors"), Arrays.copyOf(whole, whole.length - 100));
        for (String command : new String[] {"inspect", "convert"}) {
            Result result = command.equals("inspect")
                    ? PackagedSetun.run(command, directory.toString())
                    : PackagedSetun.run(
                            command,
                            directory.toString(),
                            directory.resolve("out").toString());
            assertThat(result.exitCode()).as(command).isEqualTo(1);
            assertThat(result.err().lines()).as(command).hasSize(1);
            assertThat(result.err()).contains("model.safetensors");
        }
    }

    @Test
    void logitsOfAGoldenModelAreThoseOfUpstream() throws Exception {
        try (Checkpoint expected = Checkpoint.open(GOLDEN.resolve("expected.safetensors"))) {
            String tokens = tokens(expected);
            Result result = PackagedSetun.run("logits", "--model", GOLDEN.toString(), "--tokens", tokens);
            assertThat(result.exitCode()).as(result.err()).isZero();
            JsonNode json = JSON.readTree(result.out());
            assertThat(json.get("tokens").toString()).isEqualTo("[" + tokens + "]");
            float[] logits = expected.require("logits").floats();
            int index = 0;
            for (JsonNode row : json.get("logits")) {
                for (JsonNode value : row) {
                    assertThat(value.floatValue()).isCloseTo(logits[index++], within(1e-4f));
                }
            }
            assertThat(index).isEqualTo(logits.length);
        }
    }

    @Test
    void logitsOfSparserActivationsAreOthers() throws Exception {
        Result plain = PackagedSetun.run("logits", "--model", GOLDEN.toString(), "--tokens", "1,5");
        Result none = PackagedSetun.run(
                "logits", "--model", GOLDEN.toString(), "--tokens", "1,5", "--activation-sparsity", "0");
        Result sparse = PackagedSetun.run(
                "logits", "--model", GOLDEN.toString(), "--tokens", "1,5", "--activation-sparsity", "0.5");
        assertThat(sparse.exitCode()).as(sparse.err()).isZero();
        assertThat(none.out()).isEqualTo(plain.out());
        assertThat(sparse.out()).isNotEqualTo(plain.out());
    }

    @Test
    void aConvertedModelInspectsAndComputesLikeItsSource(@TempDir Path directory) throws Exception {
        String converted = directory.resolve("converted").toString();
        assertThat(PackagedSetun.run("convert", GOLDEN.toString(), converted, "--packing", "b3")
                        .exitCode())
                .isZero();
        Result inspected = PackagedSetun.run("inspect", converted, "--json");
        assertThat(inspected.exitCode()).as(inspected.err()).isZero();
        assertThat(JSON.readTree(inspected.out()).get("family").asString()).isEqualTo("ternary");
        String tokens = "1,5,9,2";
        assertThat(PackagedSetun.run("logits", "--model", converted, "--tokens", tokens)
                        .out())
                .isEqualTo(PackagedSetun.run("logits", "--model", GOLDEN.toString(), "--tokens", tokens)
                        .out());
        Path tensors = directory.resolve("logits.safetensors");
        assertThat(PackagedSetun.run("logits", "--model", converted, "--tokens", tokens, "--output", tensors.toString())
                        .exitCode())
                .isZero();
        try (Checkpoint written = Checkpoint.open(tensors)) {
            assertThat(written.require("logits").shape().dimension(0)).isEqualTo(4);
        }
        Result again = PackagedSetun.run("convert", GOLDEN.toString(), converted);
        assertThat(again.exitCode()).isEqualTo(1);
        assertThat(again.err()).contains(converted).contains("exists");
    }

    @Test
    void theModelThatShipsWritesWords() throws Exception {
        Result result =
                PackagedSetun.run("generate", "--prompt", "Once upon a time", "--max-tokens", "40", "--seed", "7");
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.out()).startsWith("Once upon a time");
        assertThat(result.out().trim().split("\\s+").length).isGreaterThan(15);
        assertThat(result.err()).contains("tokens/s");
        Result again =
                PackagedSetun.run("generate", "--prompt", "Once upon a time", "--max-tokens", "40", "--seed", "7");
        assertThat(again.out()).isEqualTo(result.out());
    }

    @Test
    void perplexityOfTheModelThatShipsIsTheOnlyWordOnStandardOutput() throws Exception {
        String text = "src/test/resources/golden/setun-fairy/perplexity.txt";
        Result result = PackagedSetun.run("perplexity", "--file", text, "--json");
        assertThat(result.exitCode()).as(result.err()).isZero();
        JsonNode score = JSON.readTree(result.out());
        assertThat(score.propertyNames()).containsExactly("tokens", "bytes", "perplexity", "bits_per_byte");
        assertThat(score.get("bits_per_byte").doubleValue()).isCloseTo(1.8431, within(1e-4));
        assertThat(result.err()).contains("144 tokens in");
    }

    @Test
    void aTextThatIsNoneIsOneSentence(@TempDir Path directory) throws Exception {
        Path empty = Files.createFile(directory.resolve("empty.txt"));
        Path latin = Files.write(directory.resolve("latin.txt"), new byte[] {'c', 'a', 'f', (byte) 0xe9});
        Path missing = directory.resolve("missing.txt");
        for (Path file : List.of(empty, latin, missing, directory)) {
            Result result = PackagedSetun.run("perplexity", "--file", file.toString(), "--json");
            assertThat(result.exitCode()).as("%s", file).isEqualTo(1);
            assertThat(result.out()).isEmpty();
            assertThat(result.err().lines()).as("%s", file).hasSize(1);
            assertThat(result.err()).startsWith("setun: " + file + ": ");
        }
    }

    @Test
    void benchMeasuresTheModelThatShipsAndPrintsNothingButJson() throws Exception {
        Result result = PackagedSetun.run("bench", "--json", "--seconds", "0.1", "--prompt", "64");
        assertThat(result.exitCode()).as(result.err()).isZero();
        JsonNode report = JSON.readTree(result.out());
        assertThat(report.get("model").stringValue()).isEqualTo("setun-fairy");
        assertThat(report.get("bandwidth_gb_s").doubleValue()).isPositive();
        assertThat(report.get("runs")).hasSize(2);
        for (JsonNode run : report.get("runs")) {
            assertThat(run.get("tokens_per_s").doubleValue()).isPositive();
        }
    }

    @Test
    void benchMakesAModelOfAPublishedShape() throws Exception {
        Result result = PackagedSetun.run(
                "bench", "--shape", "mmfree-370m", "--json", "--seconds", "0.1", "--prompt", "8", "--context", "0");
        assertThat(result.exitCode()).as(result.err()).isZero();
        JsonNode report = JSON.readTree(result.out());
        assertThat(report.get("parameters").longValue()).isEqualTo(374_108_160);
        assertThat(report.get("runs").get(1).get("bandwidth_fraction").doubleValue())
                .isPositive();
        Result unknown = PackagedSetun.run("bench", "--shape", "mmfree");
        assertThat(unknown.exitCode()).isEqualTo(2);
        assertThat(unknown.out()).isEmpty();
        assertThat(unknown.err()).startsWith("--shape: expected one of bitnet-2b4t, mmfree-370m");
    }

    @Test
    void serveAnswersWithTheModelThatShipsAndEndsOnSigterm() throws Exception {
        Process server = PackagedSetun.builder("--server.port=0")
                .redirectErrorStream(true)
                .start();
        try (BufferedReader log =
                new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))) {
            int port = PackagedSetun.awaitPort(log);
            HttpResponse<String> response;
            try (HttpClient client = HttpClient.newHttpClient()) {
                HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/v1/completions"))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(
                                "{\"prompt\":\"Once upon a time\",\"max_tokens\":16,\"stream\":true}"))
                        .build();
                response = client.send(request, HttpResponse.BodyHandlers.ofString());
            }
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).startsWith("data: {").endsWith("data: [DONE]\n\n");
            server.destroy();
            assertThat(server.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(server.exitValue()).as("128 + SIGTERM, or 0").isIn(0, 143);
        } finally {
            server.destroyForcibly();
        }
    }

    @Test
    void benchPutsAServerUnderLoad() throws Exception {
        Process server = PackagedSetun.builder("--server.port=0")
                .redirectErrorStream(true)
                .start();
        try (BufferedReader log =
                new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))) {
            String url = "http://localhost:" + PackagedSetun.awaitPort(log);
            Result result = PackagedSetun.run(("bench --server " + url
                            + " --rate inf --requests 8 --prompt-tokens 16 --output-tokens 8" + " --respect-eos --json")
                    .split(" "));
            assertThat(result.exitCode()).as(result.err()).isZero();
            JsonNode report = JSON.readTree(result.out());
            assertThat(report.get("completed").intValue()).isEqualTo(8);
            assertThat(report.get("uncounted").intValue()).isZero();
            assertThat(report.get("output_tokens").intValue()).isBetween(8, 64);
            assertThat(report.get("ttft_ms").get("p50").doubleValue()).isPositive();
        } finally {
            server.destroyForcibly();
        }
    }

    private static String tokens(Checkpoint expected) throws Exception {
        return expected.require("input_ids")
                .bytes()
                .elements(ValueLayout.JAVA_LONG_UNALIGNED)
                .map(element -> String.valueOf(element.get(ValueLayout.JAVA_LONG_UNALIGNED, 0)))
                .collect(Collectors.joining(","));
    }
}
