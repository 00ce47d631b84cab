package org.setun.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.LoadOptions;
import org.setun.architecture.LoadedModel;
import org.setun.architecture.ModelLoader;
import org.setun.architecture.NamedShape;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.kernel.WorkerPool;
import org.setun.model.Model;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures how fast a model runs on this machine, or how fast a server answers many users. */
@Command(
        name = "bench",
        description = {
            "Measures prefill and decoding, and how fast threads read memory in order, in the same run.",
            "Tokens a second are those of all sequences of a batch together. For each number of threads the model is loaded"
                    + " as it would be for serving. Each setting first runs a while unmeasured, for the compiler; then all"
                    + " take turns, a slice of time each, so that what disturbs the machine disturbs all of them. Medians"
                    + " are shown. A decoding step takes the likeliest token of every sequence.",
            "The share of the bandwidth counts the weights that a step reads, each once, and the sequences' states. Dropped"
                    + " activations are not subtracted: with sparsity it is the share that a dense model of that speed would"
                    + " need, and may be more than all.",
            "With --server, sends requests to any server with OpenAI's API instead, at random times that do not depend on its"
                    + " answers, and reports what the users of such a load would feel. Latencies count from when a request was to be"
                    + " sent. Exit code 1 if no request was answered.",
            "With --conversations, measures memory instead of speed: what so many conversations take that wait for their users."
        })
final class BenchCommand implements Callable<Integer> {

    private static final int MOST_THREADS = 1024;
    private static final int MOST_SEQUENCES = 1024;
    private static final int MOST_TOKENS = 1 << 20;
    private static final int MOST_SECONDS = 3600;
    private static final int MOST_CONVERSATIONS = 1_000_000;
    private static final double NANOS = 1e9;

    /** What means something for a model here and for a server. */
    private static final Set<String> FOR_BOTH = Set.of("--model", "--json", "--verbose");

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--model",
            paramLabel = "PATH",
            description =
                    "A checkpoint directory or file; default: the model that ships. With --server, the model's name there;"
                            + " default: the first that it lists.")
    private @Nullable String model;

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            description =
                    "Random weights in the sizes of a published model instead: bitnet-2b4t, mmfree-370m, mmfree-1.3b or"
                            + " mmfree-2.7b.")
    private @Nullable String shape;

    @Option(
            names = "--threads",
            split = ",",
            paramLabel = "N",
            description = "Threads that compute, such as 1,2; default: one a core.")
    private List<Integer> threads = List.of();

    @Option(
            names = "--batch",
            split = ",",
            paramLabel = "N",
            description = "Sequences that decode together, such as 1,16; default: 1. Prefill is of one sequence.")
    private List<Integer> batches = List.of(1);

    @Option(
            names = "--sparsity",
            split = ",",
            paramLabel = "S",
            description =
                    "Fractions of activations to drop in every layer, such as 0,0.6; default: 0. For those above 0 the"
                            + " model keeps its weights by columns too; beside 0 it is in memory twice.")
    private List<Double> sparsities = List.of(0.0);

    @Option(names = "--prompt", paramLabel = "N", description = "Tokens of the prefill; default: 512.")
    private int prompt = 512;

    @Option(
            names = "--context",
            paramLabel = "N",
            description = "Tokens that sequences have before they decode, which are computed once; default: 32.")
    private int context = 32;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description =
                    "Time to measure each setting; default: 4. A sample takes a 25th of it, and warming up a fifth"
                            + " besides. Long prompts may take half as long again, and are then measured in part.")
    private double seconds = 4;

    @Option(
            names = "--conversations",
            paramLabel = "N",
            description =
                    "Hold N conversations of two turns, and measure what they take while nobody goes on with them.")
    private @Nullable Integer conversations;

    @Mixin
    private KernelOptions kernelOptions = new KernelOptions();

    @Mixin
    private HeadOption headOption = new HeadOption();

    @Option(names = "--json", description = "Print one JSON object instead of text.")
    private boolean json;

    @ArgGroup(validate = false, heading = "%nFor a server:%n")
    private ServerBenchOptions serverOptions = new ServerBenchOptions();

    @Override
    public Integer call() throws Exception {
        requireOptionsOfOneKind();
        String server = serverOptions.server();
        if (server != null) {
            return ServerBench.run(server, serverOptions, model, json, spec.commandLine());
        }
        BenchPlan plan = plan();
        if (shape != null) {
            NamedShape named = NamedShape.named(shape)
                    .orElseThrow(() -> wrong(
                            "--shape: expected one of " + String.join(", ", NamedShape.names()) + ", found " + shape));
            run(plan, shape, (kernels, limit) -> ModelLoader.random(named, kernels, options(limit)));
        } else {
            try (ModelSource source = ModelSource.open(model == null ? null : Path.of(model))) {
                run(plan, source.name(), (kernels, limit) -> load(source, kernels, limit));
            }
        }
        return 0;
    }

    private void run(BenchPlan plan, String name, Bench.ModelMaker maker) throws Exception {
        if (conversations == null) {
            measure(plan, name, maker);
        } else {
            hold(conversations, plan.threads().getFirst(), name, maker);
        }
    }

    /** Refuses options that would have no effect. */
    private void requireOptionsOfOneKind() {
        List<OptionSpec> forServer = spec.argGroups().getFirst().options();
        for (OptionSpec option : spec.commandLine().getParseResult().matchedOptionsSet()) {
            String name = option.longestName();
            if (serverOptions.server() == null && forServer.contains(option)) {
                throw wrong(name + ": expected --server beside it, found none");
            }
            if (serverOptions.server() != null && !forServer.contains(option) && !FOR_BOTH.contains(name)) {
                throw wrong(name + ": expected no --server beside it, found " + serverOptions.server());
            }
        }
    }

    private BenchPlan plan() {
        if (model != null && shape != null) {
            throw wrong("--shape: expected no --model beside it, found " + model);
        }
        threads.forEach(count -> requireRange("--threads", 1, MOST_THREADS, count));
        batches.forEach(count -> requireRange("--batch", 1, MOST_SEQUENCES, count));
        for (double sparsity : sparsities) {
            if (!(sparsity >= 0 && sparsity < 1)) {
                throw wrong("--sparsity: expected at least 0 and less than 1, found " + sparsity);
            }
        }
        if (conversations != null) {
            requireRange("--conversations", 1, MOST_CONVERSATIONS, conversations);
        }
        requireRange("--prompt", 1, MOST_TOKENS, prompt);
        requireRange("--context", 0, MOST_TOKENS, context);
        if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
            throw wrong("--seconds: expected more than 0 and at most " + MOST_SECONDS + ", found " + seconds);
        }
        Duration perSetting = Duration.ofNanos(Math.round(seconds * NANOS));
        List<Integer> counts = threads.isEmpty() ? List.of(KernelSelection.physicalCores()) : threads;
        return new BenchPlan(counts, batches, sparsities, prompt, context, perSetting);
    }

    private void requireRange(String option, int from, int to, int found) {
        if (found < from || found > to) {
            throw wrong(option + ": expected " + from + " to " + to + ", found " + found);
        }
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private LoadOptions options(double maxActivationSparsity) {
        return new LoadOptions(
                kernelOptions.keyValueFormat(), OptionalDouble.of(maxActivationSparsity), headOption.mode());
    }

    private LoadedModel load(ModelSource source, Kernels kernels, double maxActivationSparsity)
            throws CheckpointFormatException, IOException {
        try (ConsoleProgress progress = new ConsoleProgress("loading")) {
            return ModelLoader.load(source.path(), kernels, options(maxActivationSparsity), progress);
        }
    }

    private void measure(BenchPlan plan, String name, Bench.ModelMaker maker)
            throws CheckpointFormatException, IOException {
        List<BenchReport> reports = new ArrayList<>();
        for (int count : plan.threads()) {
            int loadingThreads = Math.max(count, KernelSelection.physicalCores());
            try (LoadingWorkerPool workers = new LoadingWorkerPool(count, loadingThreads);
                    Bench bench = new Bench(plan, kernelOptions.select(spec, workers), workers)) {
                bench.load(maker);
                PrintWriter err = spec.commandLine().getErr();
                err.printf("%s, threads %d: measuring for about %d s%n", name, count, plan.expectedSeconds());
                err.flush();
                reports.add(bench.run(name));
            }
        }
        show(BenchReport.of(reports));
    }

    private void hold(int count, int numThreads, String name, Bench.ModelMaker maker) throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        try (Model held = maker.make(kernelOptions.select(spec, WorkerPool.of(numThreads)), 0)
                .model()) {
            ConversationBench.Report report = new ConversationBench(held).run(name, count);
            if (json) {
                out.println(PrettyJson.write(report));
            } else {
                report.print(out);
            }
        }
        out.flush();
    }

    private void show(BenchReport report) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(PrettyJson.write(report));
        } else {
            BenchTable.print(report, out);
        }
        out.flush();
    }
}
