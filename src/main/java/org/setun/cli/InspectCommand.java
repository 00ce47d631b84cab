package org.setun.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.LoadProgress;
import org.setun.architecture.ModelInspector;
import org.setun.architecture.ModelReport;
import org.setun.kernel.KernelSelection;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what a checkpoint is. */
@Command(
        name = "inspect",
        description =
                "Says what a checkpoint is: architecture, tensors, sizes, zero fractions, and whether it runs here.")
final class InspectCommand implements Callable<Integer> {

    private static final double KILOBYTE = 1e3;
    private static final double MEGABYTE = 1e6;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "PATH",
            description = "A checkpoint directory or file; default: the model that ships.")
    private @Nullable Path path;

    @Option(names = "--json", description = "Print one JSON object instead of text.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        try (ModelSource source = ModelSource.open(path)) {
            ModelReport report = ModelInspector.inspect(source.path(), KernelSelection.layout(), LoadProgress.NONE);
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.println(PrettyJson.write(ReportJson.of(source.name(), report)));
            } else {
                print(source.name(), report, out);
            }
            out.flush();
            return report.obstacle().isPresent() ? 1 : 0;
        }
    }

    private static String memory(ModelReport.Sequence sequence) {
        String recurrent = "%,.1f kB".formatted(sequence.recurrentBytes() / KILOBYTE);
        String tokens = "%,.1f kB a token as %s"
                .formatted(
                        sequence.tokenBytes() / KILOBYTE,
                        sequence.format().name().toLowerCase(Locale.ROOT));
        if (sequence.tokenBytes() == 0) {
            return recurrent + ", however long";
        }
        return sequence.recurrentBytes() == 0 ? tokens : recurrent + " and " + tokens;
    }

    private void print(String name, ModelReport report, PrintWriter out) {
        out.printf("%s%n", name);
        out.printf("  family          %s (%s)%n", report.family(), report.architecture());
        for (String run : report.composition()) {
            out.printf("  layers          %s%n", run);
        }
        out.printf("  parameters      %,d%n", report.parameters());
        out.printf(
                "  stored          %,.1f MB in %d tensors%n",
                report.storedBytes() / MEGABYTE, report.stored().size());
        if (report.obstacle().isPresent()) {
            out.printf("  runs here       no: %s%n", report.obstacle().get());
        } else {
            out.printf("  loaded          %,.1f MB%n", report.loadedBytes() / MEGABYTE);
            out.printf("  a sequence      %s%n", memory(report.sequence()));
            out.printf("  zero weights    %.2f %% of all ternary weights%n", 100 * report.zeroFraction());
            out.printf("  runs here       yes%n");
        }
        out.printf("%n%-52s %-5s %-16s %12s%n", "stored tensor", "type", "shape", "bytes");
        for (ModelReport.Stored tensor : report.stored()) {
            out.printf("%-52s %-5s %-16s %,12d%n", tensor.name(), tensor.type(), tensor.shape(), tensor.bytes());
        }
        if (!report.ternary().isEmpty()) {
            out.printf("%n%-52s %-16s %8s%n", "ternary matrix", "shape", "zeros");
            for (ModelReport.Ternary matrix : report.ternary()) {
                String shape = "[" + matrix.rows() + ", " + matrix.columns() + "]";
                out.printf("%-52s %-16s %6.2f %%%n", matrix.name(), shape, 100 * matrix.zeroFraction());
            }
        }
    }
}
