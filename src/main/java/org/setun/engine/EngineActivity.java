package org.setun.engine;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.setun.model.Measure;
import org.setun.model.PassCounts;
import org.setun.model.Retrieval;
import org.setun.model.Workspace;

/**
 * What the model has done since the engine's start: which activations were zero, which weights were read, which experts were used. The engine
 * thread counts; all public methods may be called by any thread at any time and take no lock.
 */
public final class EngineActivity {

    private final Workspace workspace;
    private final PassCounts counts;
    private final List<ExpertUsage> experts;
    private final RecentRate readRate;
    private final AtomicLong tokens = new AtomicLong();
    private long readBytes;

    // Where the chunk at hand stands in the step.
    private int nextChunk;
    private int nextToken;

    // Those that run, as the engine thread knows them.
    private List<Sequence> known = List.of();

    private volatile List<SequenceActivity> running = List.of();
    // Of each caller, of which there are few.
    private final Map<String, SequenceActivity> last = new ConcurrentHashMap<>();

    EngineActivity(Workspace workspace, LongSupplier nanoClock) {
        this.workspace = workspace;
        this.counts = workspace.counts();
        this.experts = workspace.retrievals().stream()
                .map(retrieval -> new ExpertUsage(retrieval, nanoClock))
                .toList();
        this.readRate = new RecentRate(nanoClock);
    }

    /** Returns what will be done for a sequence, which is nothing yet. */
    SequenceActivity start(String id, String caller) {
        return new SequenceActivity(id, caller, workspace);
    }

    /**
     * Counts a pass, and begins with its first chunk.
     *
     * @param size the tokens of all chunks
     */
    void begin(int size) {
        nextChunk = 0;
        nextToken = 0;
        tokens.setOpaque(tokens.getPlain() + size);
        List<Retrieval> retrievals = workspace.retrievals();
        for (int i = 0; i < retrievals.size(); i++) {
            experts.get(i).add(retrievals.get(i));
        }
    }

    /**
     * Counts the next chunk of the pass for its sequence, after all that is computed for it has been.
     *
     * @param size its tokens
     */
    void computed(SequenceActivity sequence, int size) {
        sequence.add(workspace, nextChunk, nextToken, nextToken + size);
        nextChunk++;
        nextToken += size;
    }

    /** Counts how long a step took, which has ended. */
    void stepFinished(long nanos) {
        long read = counts.sum(Measure.READ_BYTES);
        readRate.add(read - readBytes, nanos);
        readBytes = read;
    }

    /** Shows which sequences have a place in the engine; cheap where they are the same as before. */
    void running(List<Sequence> sequences) {
        if (!sequences.equals(known)) {
            known = List.copyOf(sequences);
            running = known.stream()
                    .flatMap(sequence -> sequence.activity().stream())
                    .toList();
        }
    }

    /** Shows a sequence that has ended as it should. */
    void finished(SequenceActivity sequence) {
        last.put(sequence.caller(), sequence);
    }

    /** Returns how many sites the network has. */
    public int sites() {
        return counts.places().size();
    }

    /** Returns what has been counted at a site, from 0 to {@link #sites} - 1 in the order of the computation. */
    public SiteCounts site(int index) {
        return SiteCounts.of(counts, Objects.checkIndex(index, sites()));
    }

    /** Returns what has been done for all tokens. */
    public Activity total() {
        return new Activity(
                tokens.getOpaque(),
                IntStream.range(0, sites()).mapToObj(this::site).toList(),
                experts.stream()
                        .map(each -> new Activity.LayerExperts(
                                each.layer(),
                                each.count(),
                                each.lookups(),
                                each.spread().used()))
                        .toList());
    }

    /** Returns what has been done for the requests that have a place in the engine. */
    public List<RequestActivity> running() {
        return running.stream().map(SequenceActivity::ofRequest).toList();
    }

    /** Returns what has been done for the request of {@code caller} that finished last; empty if none has that was computed. */
    public Optional<RequestActivity> last(String caller) {
        return Optional.ofNullable(last.get(caller)).map(SequenceActivity::ofRequest);
    }

    /** Returns how the experts of each layer that retrieves some have been used, first layer to last. */
    public List<ExpertUsage> experts() {
        return experts;
    }

    /** Returns how many bytes of weights the steps of the last ten seconds read for each second that they took; not a number if there were none. */
    public double readBytesPerSecond() {
        return readRate.perSecond();
    }
}
