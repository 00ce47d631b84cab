package org.setun.cli;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.setun.architecture.LoadedModel;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.cli.BenchSetting.Phase;
import org.setun.kernel.Kernels;
import org.setun.kernel.StreamingRead;
import org.setun.model.SequenceState;

/**
 * Measures a model with one number of threads. Every setting runs on a model that was loaded for it as a server would load it:
 * without sparsity there is no second layout of the weights, so that asking for sparsity besides changes nothing in the speed.
 */
final class Bench implements AutoCloseable {

    private static final double NANOS = 1e9;

    private final BenchPlan plan;
    private final Kernels kernels;
    private final LoadingWorkerPool workers;
    private final Arena arena = Arena.ofShared();
    private final Map<Boolean, TimedModel> models = new HashMap<>();
    private long loadNanos;

    /** Puts a model into memory. */
    @FunctionalInterface
    interface ModelMaker {
        /**
         * Makes a model that runs on {@code kernels}.
         *
         * @param maxActivationSparsity the most activation sparsity that it will be asked for
         */
        LoadedModel make(Kernels kernels, double maxActivationSparsity) throws CheckpointFormatException, IOException;
    }

    /**
     * Creates a measurement.
     *
     * @param kernels run on {@code workers}
     * @param workers the threads; closed with this
     */
    Bench(BenchPlan plan, Kernels kernels, LoadingWorkerPool workers) {
        this.plan = plan;
        this.kernels = kernels;
        this.workers = workers;
    }

    /** Loads what the plan needs. */
    void load(ModelMaker maker) throws CheckpointFormatException, IOException {
        long start = System.nanoTime();
        for (double sparsity : plan.sparsities()) {
            boolean sparse = sparsity > 0;
            if (!models.containsKey(sparse)) {
                LoadedModel loaded = maker.make(kernels, sparse ? plan.maxSparsity() : 0);
                models.put(sparse, new TimedModel(loaded, plan.maxBatch()));
            }
        }
        workers.endLoading();
        loadNanos = System.nanoTime() - start;
    }

    /**
     * Measures what {@link #load} has loaded.
     *
     * @param name what to call the model
     */
    BenchReport run(String name) {
        List<BenchSetting> settings = plan.settings();
        List<Timing> timings;
        try (StreamingRead memory = new StreamingRead(StreamingRead.DEFAULT_BYTES)) {
            List<Workload> workloads = new ArrayList<>(workloads(settings));
            workloads.addFirst(new ReadWorkload(memory, workers));
            timings = new InterleavedTiming(plan.limits(), System::nanoTime).measure(workloads);
        }
        Timing reads = timings.getFirst();
        List<BenchReport.Run> runs = new ArrayList<>();
        for (int i = 0; i < settings.size(); i++) {
            runs.add(run(settings.get(i), timings.get(i + 1), reads));
        }
        TimedModel model = anyModel();
        OptionalLong resident = ResidentMemory.bytes();
        return new BenchReport(
                reads.rate() / BenchReport.GIGABYTE,
                runs,
                name,
                model.parameters(),
                kernels.ternary().name(),
                loadNanos / NANOS,
                model.passWeightBytes(),
                resident.isPresent() ? resident.getAsLong() : null);
    }

    /** Returns one of the loaded models: they have the same weights and states. */
    private TimedModel anyModel() {
        return models.values().iterator().next();
    }

    private TimedModel model(BenchSetting setting) {
        TimedModel model = models.get(setting.sparsity() > 0);
        if (model == null) {
            throw new IllegalStateException("no model was loaded for " + setting);
        }
        return model;
    }

    private List<Workload> workloads(List<BenchSetting> settings) {
        TimedModel any = anyModel();
        int[] prompt = any.text(plan.promptTokens());
        SequenceState promptState = any.newState(prompt.length, arena);
        List<SequenceState> states = any.statesAfter(plan.contextTokens(), DecodeWorkload.LAP, plan.maxBatch(), arena);
        return settings.stream()
                .map(setting -> switch (setting.phase()) {
                    case PREFILL -> new PrefillWorkload(model(setting), promptState, prompt, setting);
                    case DECODE -> new DecodeWorkload(model(setting), states, plan.contextTokens(), setting);
                })
                .toList();
    }

    private BenchReport.Run run(BenchSetting setting, Timing timing, Timing reads) {
        int threads = workers.threads();
        if (setting.phase() == Phase.PREFILL) {
            return BenchReport.Run.of(setting, threads, timing, reads, null, 0);
        }
        int context = plan.contextTokens();
        long stepBytes = model(setting).stepBytes(setting.batch(), context + DecodeWorkload.LAP / 2);
        double fraction = stepBytes * (timing.rate() / setting.batch()) / reads.rate();
        return BenchReport.Run.of(setting, threads, timing, reads, fraction, context);
    }

    /** Frees the models and ends the threads. Idempotent. */
    @Override
    public void close() {
        models.values().forEach(TimedModel::close);
        workers.close();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
