package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code bench --conversations} with the model that ships. */
@Timeout(120)
final class ConversationBenchTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return new CommandLine(new BenchCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    @Test
    void everyConversationIsHeldAndCounted() {
        assertThat(run("--conversations", "40", "--json")).as("%s", err).isZero();
        JsonNode report = JsonMapper.shared().readTree(out.toString());
        assertThat(report.get("conversations").intValue()).isEqualTo(40);
        assertThat(report.get("tokens").intValue()).isEqualTo(2 * (48 + 16));
        assertThat(report.get("resumed").intValue()).isEqualTo(40);
        long state = report.get("state_bytes").longValue();
        assertThat(state).isPositive();
        assertThat(report.get("counted_bytes").longValue())
                .isBetween(40 * state, report.get("entries").intValue() * (state + 2000));
        assertThat(report.get("resident_bytes").isNull())
                .as("the tests' heap comes and goes")
                .isTrue();
    }

    @Test
    void theReportIsForPeople() {
        assertThat(run("--conversations", "3")).as("%s", err).isZero();
        assertThat(out.toString())
                .contains("3 conversations of 2 turns, 128 tokens each", "-XX:+AlwaysPreTouch", "a conversation")
                .containsPattern("went on where they were +3 of 3");
    }

    @Test
    void aWrongNumberIsRefusedInASentence() {
        assertThat(run("--conversations", "0")).isEqualTo(2);
        assertThat(err.toString()).startsWith("--conversations: expected 1 to 1000000, found 0");
        assertThat(run("--conversations", "5", "--server", "http://localhost:1"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--conversations: expected no --server beside it");
    }
}
