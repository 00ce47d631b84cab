package org.setun.cli;

import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import org.setun.cli.load.LoadPlan;
import org.setun.cli.load.LoadReport;
import org.setun.cli.load.LoadTable;
import org.setun.cli.load.LoadTest;
import org.setun.cli.load.LoadTestException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Puts a server under load for {@code bench} and prints the report. */
final class ServerBench {

    private static final String API_KEY = "SETUN_API_KEY";

    private ServerBench() {}

    /**
     * Runs what the options ask for.
     *
     * @param model the model's name; null for the server's first
     * @param json whether to print the report for programs
     * @return the exit code: 1 if no request was answered
     * @throws ParameterException if an option has no possible value
     * @throws LoadTestException if the server is not there or not usable
     */
    static int run(
            String server, ServerBenchOptions options, @Nullable String model, boolean json, CommandLine commandLine)
            throws LoadTestException, InterruptedException {
        LoadPlan plan;
        try {
            plan = options.plan(server, model, System.getenv(API_KEY));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(commandLine, e.getMessage(), e);
        }
        PrintWriter err = commandLine.getErr();
        LoadReport report = LoadTest.run(plan, note -> {
            err.println(note);
            err.flush();
        });
        PrintWriter out = commandLine.getOut();
        if (json) {
            out.println(PrettyJson.write(report));
        } else {
            LoadTable.print(report, out);
        }
        out.flush();
        return report.completed() > 0 ? 0 : 1;
    }
}
