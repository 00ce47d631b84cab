package org.setun.cli.load;

import java.io.PrintWriter;

/** Prints a report for people. */
public final class LoadTable {

    private LoadTable() {}

    /** Prints {@code report}. */
    public static void print(LoadReport report, PrintWriter out) {
        out.printf("%s%n", report.url());
        if (report.model() != null) {
            out.printf("  model           %s%n", report.model());
        }
        out.printf(
                "  arrivals        %s%s, seed %d%n",
                report.rate() == null ? "all at once" : "%.3g requests/s".formatted(report.rate()),
                report.concurrency() == null ? "" : ", at most %d at once".formatted(report.concurrency()),
                report.seed());
        out.printf(
                "  prompts         %s %s%s%n",
                report.promptLengths(),
                report.promptForm().equals("words") ? "words" : "tokens",
                report.sharedPrefix() == 0
                        ? ""
                        : " after %d shared ones, of %d kinds".formatted(report.sharedPrefix(), report.prefixGroups()));
        out.printf("  answers         %s tokens%n", report.outputLengths());
        out.printf("  took            %.1f s, at most %d at once%n", report.durationSeconds(), report.mostConcurrent());
        out.printf(
                "  requests        %,d completed, %,d rejected (429), %,d failed%n",
                report.completed(), report.rejected(), report.failed());
        for (LoadReport.ErrorKind error : report.errors()) {
            out.printf("    %-15s %,d, first: %s%n", error.kind(), error.count(), error.first());
        }
        out.printf(
                "  tokens          %,d of prompts, %,d of them cached, %,d of answers%s%n",
                report.promptTokens(),
                report.cachedTokens(),
                report.outputTokens(),
                report.uncounted() == 0
                        ? ""
                        : "; the server did not count those of %,d requests".formatted(report.uncounted()));
        out.printf(
                "  throughput      %.2f requests/s, %,.1f output tokens/s, %,.1f tokens/s in all%n",
                report.requestsPerSecond(), report.outputTokensPerSecond(), report.totalTokensPerSecond());
        out.printf("%n%-20s %10s %10s %10s %10s %10s %9s%n", "ms", "mean", "p50", "p90", "p99", "max", "count");
        print("to the first token", report.timeToFirstToken(), out);
        print("between tokens", report.interToken(), out);
        print("per output token", report.timePerOutputToken(), out);
        print("end to end", report.endToEnd(), out);
        print("sent late", report.sendDelay(), out);
    }

    private static void print(String name, Latency latency, PrintWriter out) {
        out.printf(
                "%-20s %10.1f %10.1f %10.1f %10.1f %10.1f %9d%n",
                name, latency.mean(), latency.p50(), latency.p90(), latency.p99(), latency.max(), latency.count());
    }
}
