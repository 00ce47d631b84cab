package org.setun.cli;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** Prints what {@code bench} measured for people. */
final class BenchTable {

    private static final double MEGABYTE = 1e6;

    private BenchTable() {}

    /** Prints {@code report}. */
    static void print(BenchReport report, PrintWriter out) {
        out.printf("%s%n", report.model());
        out.printf("  weights         %,d, loaded in %.1f s%n", report.parameters(), report.loadSeconds());
        out.printf("  read by a step  %,.1f MB of weights%n", report.passWeightBytes() / MEGABYTE);
        if (report.residentBytes() != null) {
            out.printf("  resident        %,.0f MB, all of the process%n", report.residentBytes() / MEGABYTE);
        }
        out.printf("  kernel          %s%n", report.kernel());
        Map<Integer, Double> reads = new LinkedHashMap<>();
        report.runs().forEach(run -> reads.put(run.threads(), run.bandwidth()));
        out.printf(
                "  memory reads    %s%n",
                reads.entrySet().stream()
                        .map(entry -> "%.1f GB/s with %d %s"
                                .formatted(
                                        entry.getValue(), entry.getKey(), entry.getKey() == 1 ? "thread" : "threads"))
                        .collect(Collectors.joining(", ")));
        out.printf(
                "%n%-8s %7s %6s %8s %8s %6s %10s %10s %10s %8s %10s%n",
                "phase",
                "threads",
                "batch",
                "sparsity",
                "position",
                "tokens",
                "tokens/s",
                "slowest",
                "fastest",
                "samples",
                "bandwidth");
        for (BenchReport.Run run : report.runs()) {
            out.printf(
                    "%-8s %7d %6d %8.2f %8d %6d %10.1f %10.1f %10.1f %8d %10s%n",
                    run.phase(),
                    run.threads(),
                    run.batch(),
                    run.sparsity(),
                    run.position(),
                    run.timedTokens(),
                    run.rate(),
                    run.slowest(),
                    run.fastest(),
                    run.samples(),
                    run.bandwidthFraction() == null ? "" : "%.0f %%".formatted(100 * run.bandwidthFraction()));
        }
    }
}
