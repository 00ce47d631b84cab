package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.cli.load.FakeServer;
import org.setun.cli.load.LoadTestException;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The words of {@code bench --server}: its options, what it prints, its exit codes. */
@Timeout(60)
final class ServerBenchTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return new CommandLine(new BenchCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .setExecutionExceptionHandler((exception, failed, parsed) -> {
                    failed.getErr().println(exception.getMessage());
                    return exception instanceof LoadTestException ? 1 : 70;
                })
                .execute(arguments);
    }

    @Test
    void jsonHasStableKeys() throws Exception {
        try (FakeServer server = FakeServer.start((index, body, reply) -> reply.completion(30, 8, 5))) {
            int exitCode = run(
                    "--server",
                    server.uri() + "/v1/",
                    "--json",
                    "--rate",
                    "500",
                    "--requests",
                    "12",
                    "--prompt-tokens",
                    "uniform:10-20",
                    "--output-tokens",
                    "lognormal:8,0.5",
                    "--shared-prefix",
                    "16",
                    "--prefix-groups",
                    "2",
                    "--concurrency",
                    "4",
                    "--seed",
                    "9",
                    "--temperature",
                    "0");
            assertThat(exitCode).as("%s", err).isZero();
            JsonNode report = JsonMapper.shared().readTree(out.toString());
            assertThat(report.propertyNames())
                    .containsExactlyInAnyOrder(
                            "url",
                            "model",
                            "seed",
                            "rate_per_s",
                            "concurrency",
                            "prompt_form",
                            "prompt_lengths",
                            "output_lengths",
                            "shared_prefix",
                            "prefix_groups",
                            "duration_seconds",
                            "sent",
                            "completed",
                            "rejected",
                            "failed",
                            "errors",
                            "most_concurrent",
                            "prompt_tokens",
                            "cached_tokens",
                            "output_tokens",
                            "uncounted",
                            "requests_per_s",
                            "output_tokens_per_s",
                            "total_tokens_per_s",
                            "ttft_ms",
                            "inter_token_ms",
                            "time_per_output_token_ms",
                            "end_to_end_ms",
                            "send_delay_ms");
            assertThat(report.get("ttft_ms").propertyNames())
                    .containsExactly("count", "mean", "p50", "p90", "p99", "max");
            assertThat(report.get("url").stringValue()).isEqualTo(server.uri() + "/v1/completions");
            assertThat(report.get("completed").intValue()).isEqualTo(12);
            assertThat(report.get("prompt_tokens").intValue()).isEqualTo(360);
            assertThat(report.get("cached_tokens").intValue()).isEqualTo(96);
            assertThat(report.get("most_concurrent").intValue()).isBetween(1, 4);
            assertThat(report.get("prompt_lengths").stringValue()).isEqualTo("uniform:10-20");
            assertThat(err.toString()).startsWith("tern at " + server.uri() + ": sending 500 requests/s for about 0 s");
            assertThat(server.bodies())
                    .hasSize(12)
                    .allMatch(body -> body.get("temperature").doubleValue() == 0)
                    .allMatch(body -> body.get("prompt").size() >= 26
                            && body.get("prompt").size() <= 36);
        }
    }

    @Test
    void theTableShowsWhatPeopleAskFor() throws Exception {
        try (FakeServer server = FakeServer.start((index, body, reply) -> {
            if (index == 0) {
                throw new IllegalStateException("no head");
            }
            reply.completion(10, 0, 3);
        })) {
            int exitCode =
                    run("--server", server.uri().toString(), "--rate", "inf", "--requests", "5", "--endpoint", "chat");
            assertThat(exitCode).as("%s", err).isZero();
            assertThat(out.toString())
                    .contains(server.uri() + "/v1/chat/completions", "arrivals        all at once, seed 1")
                    .contains("4 completed, 0 rejected (429), 1 failed")
                    .containsPattern("(?m)^ +connection +1, first: ")
                    .containsPattern("(?m)^  throughput +[\\d.,]+ requests/s, [\\d.,]+ output tokens/s")
                    .containsPattern("(?m)^ms +mean +p50 +p90 +p99 +max +count$")
                    .containsPattern("(?m)^to the first token( +[\\d.,]+){5} +4$")
                    .containsPattern("(?m)^between tokens( +[\\d.,]+){5} +8$")
                    .containsPattern("(?m)^end to end( +[\\d.,]+){5} +4$");
        }
    }

    @Test
    void aServerThatAnswersNothingIsAFailure() throws Exception {
        try (FakeServer server = FakeServer.start((index, body, reply) -> {
            throw new IllegalStateException("no head");
        })) {
            assertThat(run("--server", server.uri().toString(), "--rate", "inf", "--requests", "3", "--json"))
                    .isEqualTo(1);
            JsonNode report = JsonMapper.shared().readTree(out.toString());
            assertThat(report.get("failed").intValue()).isEqualTo(3);
            assertThat(report.get("ttft_ms").get("count").intValue()).isZero();
        }
    }

    @Test
    void aServerThatIsNotThereIsAFailure() {
        assertThat(run("--server", "http://127.0.0.1:1")).isEqualTo(1);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).startsWith("http://127.0.0.1:1/v1/models: no answer: ");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --server localhost:8080 | --server: expected an address such as http://localhost:8080, found localhost:8080
            --server ftp://host | --server: expected an address such as http://localhost:8080, found ftp://host
            --server http://h?x=1 | --server: expected an address such as http://localhost:8080, found http://h?x=1
            --server http://h --rate 0 | --rate: expected more than 0 and at most 1000000, or inf, found 0
            --server http://h --rate fast | --rate: expected more than 0 and at most 1000000, or inf, found fast
            --server http://h --rate Infinity | --rate: expected more than 0 and at most 1000000, or inf, found Infinity
            --server http://h --rate inf --duration 5 | --rate: expected --requests beside inf, found --duration alone
            --server http://h --requests 0 | --requests: expected 1 to 10000000, found 0
            --server http://h --duration 0 | --duration: expected more than 0 and at most 604800 seconds, found 0.0
            --server http://h --duration NaN | --duration: expected more than 0 and at most 604800 seconds, found NaN
            --server http://h --prompt-tokens 0 | --prompt-tokens: expected 1 to 1048576 tokens, found 0
            --server http://h --output-tokens uniform:9-1 | --output-tokens: expected a range that ascends, found 9-1
            --server http://h --output-tokens some | --output-tokens: expected a length such as 512 or uniform:100-900
            --server http://h --shared-prefix -1 | --shared-prefix: expected 0 to 1048576, found -1
            --server http://h --prefix-groups 0 | --prefix-groups: expected 1 to 10000000, found 0
            --server http://h --concurrency 0 | --concurrency: expected 1 to 1000000, found 0
            --server http://h --vocab 0 | --vocab: expected 1 to 16777216, found 0
            --server http://h --timeout 0 | --timeout: expected more than 0 and at most 604800 seconds, found 0.0
            --server http://h --temperature -1 | --temperature: expected 0 to 100, found -1.0
            --server http://h --api-key kéy | --api-key: expected letters, digits and signs, found other characters
            --server http://h --endpoint embeddings | Invalid value for option '--endpoint': expected one of
            --server http://h --shape mmfree-370m | --shape: expected no --server beside it, found http://h
            --server http://h --threads 2 | --threads: expected no --server beside it, found http://h
            --server http://h --kernel scalar | --kernel: expected no --server beside it, found http://h
            --rate 5 | --rate: expected --server beside it, found none
            --api-key x --json | --api-key: expected --server beside it, found none
            """)
    void aWrongCommandLineIsRefusedInASentence(String arguments, String message) {
        assertThat(run(arguments.split(" "))).isEqualTo(2);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).startsWith(message);
    }

    @Test
    void helpExplainsBothKinds() {
        String usage = new CommandLine(new BenchCommand()).getUsageMessage();
        assertThat(usage)
                .contains("--model", "--shape", "--json", "For a server:")
                .contains("--server", "--rate", "--requests", "--duration", "--prompt-tokens", "--output-tokens")
                .contains("--shared-prefix", "--prefix-groups", "--concurrency", "--endpoint", "--vocab", "--seed")
                .contains("--api-key", "SETUN_API_KEY", "--respect-eos", "--timeout", "--temperature");
    }
}
