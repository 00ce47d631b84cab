package org.setun.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.setun.architecture.LoadedModel;
import org.setun.engine.EngineSettings;
import org.setun.model.Batch;
import org.setun.model.CandidateRule;
import org.setun.model.Candidates;
import org.setun.model.Chunk;
import org.setun.model.SequenceState;
import org.setun.model.StateLayout;
import org.setun.model.TernaryModel;
import org.setun.model.Workspace;

/** A model in memory with what running it takes. For one thread at a time. */
final class TimedModel implements AutoCloseable {

    /** Tokens of a prompt that run at once: as many as the engine runs by default. */
    static final int CHUNK_TOKENS = EngineSettings.DEFAULTS.batch().maxTokens();

    /** What {@link #likeliest} needs of a row. */
    static final CandidateRule LIKELIEST = new CandidateRule.Best(1);

    private final LoadedModel loaded;
    private final Workspace workspace;

    /**
     * Takes over a model, and closes it with this.
     *
     * @param maxBatch how many sequences decode together at most
     */
    TimedModel(LoadedModel loaded, int maxBatch) {
        this.loaded = loaded;
        this.workspace = loaded.model().newWorkspace(Math.max(CHUNK_TOKENS, maxBatch), maxBatch);
    }

    private TernaryModel model() {
        return loaded.model();
    }

    /** Returns the number of weights. */
    long parameters() {
        return loaded.report().parameters();
    }

    /** Returns the bytes of weights that a decoding step reads, each once, if no activation is left out. */
    long passWeightBytes() {
        return model().passWeightBytes();
    }

    /** Runs a batch. */
    void forward(Batch batch) {
        model().forward(batch, workspace);
    }

    /** Returns the likeliest token after the last batch's sequence {@code row}. */
    int likeliest(int row) {
        float[] logits = workspace.logits();
        int offset = workspace.logitsOffset(row);
        Candidates candidates = workspace.candidates(row);
        int count = candidates.areAll() ? model().dimensions().vocabSize() : candidates.count();
        int best = candidates.areAll() ? 0 : candidates.ids()[0];
        for (int i = 1; i < count; i++) {
            int id = candidates.areAll() ? i : candidates.ids()[i];
            if (logits[offset + id] > logits[offset + best]) {
                best = id;
            }
        }
        return best;
    }

    /** Returns {@code count} token ids, the same in every run. */
    int[] text(int count) {
        SplittableRandom random = new SplittableRandom(count);
        int vocabSize = model().dimensions().vocabSize();
        return random.ints(count, 0, vocabSize).toArray();
    }

    /** Returns the memory of a sequence of at most {@code tokens} tokens. */
    SequenceState newState(int tokens, Arena arena) {
        return SequenceState.allocate(model().stateLayout(), tokens, arena);
    }

    /** Returns the states of {@code count} sequences after the same {@code context} tokens, with room for {@code more}. */
    List<SequenceState> statesAfter(int context, int more, int count, Arena arena) {
        SequenceState first = newState(context + more, arena);
        int[] text = text(context);
        for (int from = 0; from < context; from += CHUNK_TOKENS) {
            int[] chunk = Arrays.copyOfRange(text, from, Math.min(from + CHUNK_TOKENS, context));
            forward(Batch.of(new Chunk(first, from, chunk, Chunk.Wanted.NONE)));
        }
        List<SequenceState> states = new ArrayList<>(List.of(first));
        while (states.size() < count) {
            SequenceState copy = newState(context + more, arena);
            MemorySegment.copy(
                    first.recurrent(), 0, copy.recurrent(), 0, first.recurrent().byteSize());
            for (int page = 0; page < first.pages().size(); page++) {
                copy.pages().get(page).copyFrom(first.pages().get(page));
            }
            states.add(copy);
        }
        return states;
    }

    /**
     * Returns the bytes that a decoding step reads if no activation is left out: the weights once, and of every sequence its
     * state.
     *
     * @param context the number of tokens before, on average
     */
    long stepBytes(int batch, int context) {
        StateLayout layout = model().stateLayout();
        long stateBytes = layout.recurrentBytes() + layout.pageBytes() * context / layout.pageTokens();
        return passWeightBytes() + batch * stateBytes;
    }

    @Override
    public void close() {
        model().close();
    }
}
