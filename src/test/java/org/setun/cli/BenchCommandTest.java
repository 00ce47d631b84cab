package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command on the golden models, in a fraction of a second for each setting. */
final class BenchCommandTest {

    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return new CommandLine(new BenchCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mmfree-tiny/f32", "bitnet-tiny-packed/model-tq2_0.gguf", "composed-tiny/peer"})
    void everySettingIsMeasured(String name) {
        Path path = GOLDEN.resolve(name);
        int exitCode = run(
                "--model",
                path.toString(),
                "--json",
                "--seconds",
                "0.02",
                "--threads",
                "1,2",
                "--batch",
                "1,3",
                "--sparsity",
                "0,0.5",
                "--prompt",
                "200",
                "--context",
                "40",
                "--key-value-format",
                "int8");

        assertThat(exitCode).as("%s", err).isZero();
        JsonNode report = JsonMapper.shared().readTree(out.toString());
        double bandwidth = report.get("bandwidth_gb_s").doubleValue();
        assertThat(bandwidth).isPositive();
        List<String> settings = new ArrayList<>();
        for (JsonNode run : report.get("runs")) {
            settings.add("%s %d %d %.1f at %d"
                    .formatted(
                            run.get("phase").stringValue(),
                            run.get("threads").intValue(),
                            run.get("batch").intValue(),
                            run.get("sparsity").doubleValue(),
                            run.get("position").intValue()));
            double rate = run.get("tokens_per_s").doubleValue();
            assertThat(rate)
                    .isPositive()
                    .isBetween(
                            run.get("slowest_tokens_per_s").doubleValue(),
                            run.get("fastest_tokens_per_s").doubleValue());
            assertThat(run.get("samples").intValue()).isPositive();
            if (run.get("phase").stringValue().equals("prefill")) {
                assertThat(run.get("bandwidth_fraction").isNull()).isTrue();
                assertThat(run.get("timed_tokens").intValue()).isIn(128, 200);
            } else {
                checkFraction(report, run, rate);
            }
            if (run.get("threads").intValue() == 2) {
                assertThat(run.get("bandwidth_gb_s").doubleValue()).isEqualTo(bandwidth);
            }
        }
        assertThat(settings)
                .containsExactly(
                        "prefill 1 1 0.0 at 0",
                        "prefill 1 1 0.5 at 0",
                        "decode 1 1 0.0 at 40",
                        "decode 1 3 0.0 at 40",
                        "decode 1 1 0.5 at 40",
                        "decode 1 3 0.5 at 40",
                        "prefill 2 1 0.0 at 0",
                        "prefill 2 1 0.5 at 0",
                        "decode 2 1 0.0 at 40",
                        "decode 2 3 0.0 at 40",
                        "decode 2 1 0.5 at 40",
                        "decode 2 3 0.5 at 40");
        assertThat(report.get("model").stringValue()).isEqualTo(path.toString());
    }

    /** Every step reads the weights, and some state. */
    private static void checkFraction(JsonNode report, JsonNode run, double rate) {
        double steps = rate / run.get("batch").intValue();
        double weights = report.get("pass_weight_bytes").longValue()
                * steps
                / (run.get("bandwidth_gb_s").doubleValue() * 1e9);
        assertThat(run.get("bandwidth_fraction").doubleValue())
                .isGreaterThan(weights)
                .isLessThan(3 * weights);
    }

    @Test
    void aSequenceMayDecodeWithoutAnyContext() {
        assertThat(run(
                        "--model",
                        GOLDEN.resolve("bitnet-tiny-packed")
                                .resolve("model-tq2_0.gguf")
                                .toString(),
                        "--json",
                        "--seconds",
                        "0.02",
                        "--prompt",
                        "1",
                        "--context",
                        "0"))
                .as("%s", err)
                .isZero();
        JsonNode report = JsonMapper.shared().readTree(out.toString());
        assertThat(report.get("runs")).hasSize(2);
        JsonNode decode = report.get("runs").get(1);
        assertThat(decode.get("position").intValue()).isZero();
        assertThat(decode.get("bandwidth_gb_s").doubleValue())
                .isCloseTo(report.get("bandwidth_gb_s").doubleValue(), within(1e-9));
    }

    @Test
    void theTableHasALineForEachSetting() {
        int exitCode = run(
                "--model",
                GOLDEN.resolve("mmfree-tiny/f32").toString(),
                "--seconds",
                "0.02",
                "--threads",
                "1",
                "--kernel",
                "scalar");

        assertThat(exitCode).as("%s", err).isZero();
        assertThat(out.toString())
                .contains("mmfree-tiny", "kernel          scalar")
                .containsPattern("memory reads +[\\d.,]+ GB/s with 1 thread\n")
                .containsPattern("(?m)^phase +threads +batch +sparsity +position +tokens +tokens/s")
                .containsPattern("(?m)^prefill +1 +1 +0[.,]00 +0 +\\d+ +[\\d.,]+ +[\\d.,]+ +[\\d.,]+ +\\d+ *$")
                .containsPattern("(?m)^decode +1 +1 +0[.,]00 +32 +1 +[\\d.,]+ +[\\d.,]+ +[\\d.,]+ +\\d+ +\\d+ %$");
        assertThat(err.toString()).contains("threads 1: measuring for about");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --shape mmfree-7b | --shape: expected one of bitnet-2b4t, mmfree-370m, mmfree-1.3b, mmfree-2.7b, found mmfree-7b
            --shape mmfree-370m --model x | --shape: expected no --model beside it, found x
            --threads 1,0 | --threads: expected 1 to 1024, found 0
            --threads 1,two | Invalid value for option '--threads' (N): 'two' is not an int
            --batch 0 | --batch: expected 1 to 1024, found 0
            --sparsity 0,1 | --sparsity: expected at least 0 and less than 1, found 1.0
            --sparsity -0.1 | --sparsity: expected at least 0 and less than 1, found -0.1
            --sparsity NaN | --sparsity: expected at least 0 and less than 1, found NaN
            --prompt 0 | --prompt: expected 1 to 1048576, found 0
            --context -1 | --context: expected 0 to 1048576, found -1
            --seconds 0 | --seconds: expected more than 0 and at most 3600, found 0.0
            --kernel abacus | --kernel: kernel "abacus" is not possible here
            """)
    void aWrongCommandLineIsRefusedInASentence(String arguments, String message) {
        assertThat(run(arguments.split(" "))).isEqualTo(2);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).startsWith(message);
    }
}
