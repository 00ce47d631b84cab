package org.setun.metrics;

import io.micrometer.core.instrument.Meter;
import java.util.List;

/**
 * All of Setun's meters: what each is called, what it says, and the tags by which it is told apart, beside the tag {@code model}
 * that all have. A new meter is a new constant here and one line that records it, see {@link Meters}. The names are Micrometer's;
 * Prometheus writes them with underscores, and adds the unit and {@code _total}.
 */
@SuppressWarnings("ImmutableEnumChecker") // its lists are
public enum SetunMeter {
    // Latency.
    REQUEST_DURATION(
            "setun.request.duration",
            timer(Buckets.REQUEST),
            "From the arrival of a request to the end of its answer",
            "endpoint",
            "stream",
            "outcome"),
    TIME_TO_FIRST_TOKEN(
            "setun.time.to.first.token",
            timer(Buckets.FIRST_TOKEN),
            "From the arrival of a request to the first text of its answer"),
    INTER_TOKEN_LATENCY(
            "setun.inter.token.latency", timer(Buckets.TOKEN), "Between two tokens of an answer, in the engine"),
    TIME_PER_OUTPUT_TOKEN(
            "setun.time.per.output.token", timer(Buckets.TOKEN), "A request's mean time for a token after the first"),
    QUEUE_TIME(
            "setun.queue.time", timer(Buckets.REQUEST), "From a request's submission to the engine to its place in it"),
    PREFILL_TIME(
            "setun.prefill.time", timer(Buckets.REQUEST), "From a request's place in the engine to its first token"),
    DECODE_TIME("setun.decode.time", timer(Buckets.REQUEST), "From a request's first token to its end"),
    TOKENIZE_TIME(
            "setun.tokenize.time",
            timer(Buckets.TOKEN),
            "Rendering a prompt's chat template, if it has one, and tokenising it"),

    // Load.
    REQUESTS_FINISHED("setun.requests.finished", counter(), "Requests that the engine has ended", "reason"),
    REQUESTS_REJECTED("setun.requests.rejected", counter(), "Requests that were not taken", "reason"),
    REQUESTS_RUNNING("setun.requests.running", gauge(), "Requests that have a place in the engine"),
    REQUESTS_WAITING("setun.requests.waiting", gauge(), "Requests that wait for a place in the engine"),
    STREAMS_OPEN("setun.streams.open", gauge(), "Answers that are being streamed"),
    STATE_SLOTS_FREE("setun.state.slots.free", gauge(), "Places in the engine that no request has"),

    // Tokens and steps.
    TOKENS_PROMPT("setun.tokens.prompt", counter(), "Tokens of prompts, by where their state came from", "source"),
    TOKENS_GENERATED("setun.tokens.generated", counter(), "Tokens generated"),
    TOKENS_DISCARDED(
            "setun.tokens.discarded",
            counter(),
            "Tokens computed in vain: generated after a stop string or for requests that were cancelled or failed, or computed"
                    + " a second time for requests that had lost their memory to others",
            "reason"),
    BATCH_SIZE("setun.batch.size", summary(Buckets.BATCH), "Sequences in one step of the engine"),
    STEP_TOKENS("setun.step.tokens", summary(Buckets.BATCH), "Tokens that one step of the engine ran", "phase"),
    STEP_DURATION(
            "setun.step.duration",
            timer(Buckets.TOKEN),
            "The forward pass and the sampling of one step of the engine",
            "phase"),
    REQUEST_PROMPT_TOKENS("setun.request.prompt.tokens", summary(Buckets.TOKENS), "Tokens of a request's prompt"),
    REQUEST_OUTPUT_TOKENS("setun.request.output.tokens", summary(Buckets.TOKENS), "Tokens generated for a request"),

    // The prefix cache.
    CACHE_QUERIES("setun.cache.queries", counter(), "Sequences looked up in the prefix cache", "tier", "kind"),
    CACHE_HITS("setun.cache.hits", counter(), "Sequences of which the prefix cache knew a beginning", "tier", "kind"),
    CACHE_EVICTIONS(
            "setun.cache.evictions", counter(), "Entries that the prefix cache gave up for others", "tier", "kind"),
    CACHE_ENTRIES("setun.cache.entries", gauge(), "Snapshots and pages in the prefix cache", "tier", "kind"),
    CACHE_BYTES("setun.cache.bytes", gauge("bytes"), "What the prefix cache's entries take", "tier", "kind"),
    CACHE_ERRORS("setun.cache.errors", counter(), "Commands that failed or took too long", "tier"),
    CACHE_INVALID("setun.cache.invalid", counter(), "Values that were not as they had been saved", "tier"),
    CACHE_SAVED("setun.cache.saved", counter(), "States that were saved", "tier"),
    CACHE_DROPPED("setun.cache.dropped", counter(), "States that could not be saved", "tier"),
    CACHE_WRITTEN("setun.cache.written", counter("bytes"), "What the saved states took", "tier"),

    // The memory of sequences.
    STATE_USED("setun.state.used", gauge("bytes"), "Memory that running requests take", "kind"),
    STATE_LIMIT("setun.state.limit", gauge("bytes"), "Memory that running requests may take", "kind"),
    STATE_SAVE("setun.state.save", timer(Buckets.TOKEN), "Saving a state", "tier"),
    STATE_RESTORE("setun.state.restore", timer(Buckets.TOKEN), "Looking for a state and getting it", "tier"),

    // The model.
    MODEL_INFO("setun.model.info", gauge(), "What is served, as tags", "arch", "quantization", "parameters", "experts"),
    MODEL_LOAD_DURATION("setun.model.load.duration", gauge("seconds"), "How long the model took to load"),
    WEIGHTS("setun.weights", gauge(), "Ternary weights of each value", "layer", "matrix", "value"),
    WEIGHTS_BYTES("setun.weights.bytes", gauge("bytes"), "Matrices as products read them, by their form", "format"),

    // What the model does. Of a site of the network, org.setun.model.Site, or of a component, which is several sites.
    ACTIVATION_ELEMENTS(
            "setun.activation.elements",
            counter(),
            "Int8 activations that ternary products were given; those that several share count once",
            "layer",
            "site"),
    ACTIVATION_ZEROS("setun.activation.zeros", counter(), "How many of these activations were zero", "layer", "site"),
    ACTIVATION_ZERO_FRACTION(
            "setun.activation.zero.fraction",
            summary(Buckets.FRACTION),
            "The fraction of zero activations at one site of one layer over a finished request"),
    WEIGHT_BYTES_DENSE(
            "setun.weight.bytes.dense",
            counter(),
            "Bytes of weights that would have been read with nothing left out, once a step",
            "component"),
    WEIGHT_BYTES_READ(
            "setun.weight.bytes.read", counter(), "Bytes of weights that were read, once a step", "component"),
    OPS_DENSE(
            "setun.ops.dense",
            counter(),
            "Operations that the products would have taken with floats and nothing left out",
            "component",
            "kind"),
    OPS_EXECUTED("setun.ops.executed", counter(), "Operations that the products took", "component", "kind"),
    PEER_LOOKUPS("setun.peer.lookups", counter(), "Experts retrieved, one for each token, head and rank", "layer"),
    PEER_EXPERTS_ACTIVATED(
            "setun.peer.experts.activated",
            counter(),
            "Experts that tokens activated, counted once a token however many heads retrieved them",
            "layer"),
    PEER_EXPERTS_DISTINCT(
            "setun.peer.experts.distinct",
            gauge(),
            "Different experts used in the last minute or ten",
            "layer",
            "window"),
    PEER_USAGE_ENTROPY(
            "setun.peer.usage.entropy",
            gauge(),
            "Entropy of the experts' shares of all lookups; 1 where all are used alike, 0 where one alone is",
            "layer"),
    PEER_USAGE_GINI(
            "setun.peer.usage.gini",
            gauge(),
            "Gini coefficient of the experts' lookups; 0 where all are used alike, towards 1 where one alone is",
            "layer"),
    PEER_TOP1PCT_SHARE(
            "setun.peer.top1pct.share",
            gauge(),
            "Share of the lookups that fell to the most used hundredth of the experts",
            "layer"),
    PEER_HIT_RANK(
            "setun.peer.hit.rank",
            counter(),
            "Retrievals of a head, by the rank of the expert that mattered most to the output",
            "layer",
            "rank"),

    // The machine.
    MEMORY_BANDWIDTH(
            "setun.memory.bandwidth",
            gauge("bytes_per_second"),
            "Memory read in order by all threads, as measured once, and weights read by the steps of the last ten seconds",
            "kind"),
    ENERGY(
            "setun.energy.joules",
            counter(),
            "Energy since the start, of the whole processor by its own account (rapl), or of this process by its processor time (model)",
            "source");

    private final String meterName;
    private final Kind kind;
    private final String description;
    private final List<String> tagKeys;

    SetunMeter(String meterName, Kind kind, String description, String... tagKeys) {
        this.meterName = meterName;
        this.kind = kind;
        this.description = description;
        this.tagKeys = List.of(tagKeys);
    }

    /** Returns Micrometer's name for the meter, such as {@code setun.queue.time}. */
    public String meterName() {
        return meterName;
    }

    /** Returns whether it counts, measures or distributes. */
    public Meter.Type type() {
        return kind.type();
    }

    /** Returns the unit of what is counted or measured; empty where that is the very things that the description tells of. */
    public String unit() {
        return kind.unit();
    }

    /** Returns what the meter tells. */
    public String description() {
        return description;
    }

    /** Returns the keys of the tags beside {@code model}. */
    public List<String> tagKeys() {
        return tagKeys;
    }

    /** Returns the bounds of the histogram, in the unit; none for counters and gauges. */
    double[] bounds() {
        return kind.bounds().stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static Kind counter() {
        return counter("");
    }

    private static Kind counter(String unit) {
        return new Kind(Meter.Type.COUNTER, unit, List.of());
    }

    private static Kind gauge() {
        return gauge("");
    }

    private static Kind gauge(String unit) {
        return new Kind(Meter.Type.GAUGE, unit, List.of());
    }

    private static Kind timer(List<Double> bounds) {
        return new Kind(Meter.Type.TIMER, "seconds", bounds);
    }

    private static Kind summary(List<Double> bounds) {
        return new Kind(Meter.Type.DISTRIBUTION_SUMMARY, "", bounds);
    }

    private record Kind(Meter.Type type, String unit, List<Double> bounds) {}
}
