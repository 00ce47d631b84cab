package org.setun.engine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.setun.model.Batch;
import org.setun.model.Chunk;
import org.setun.model.Model;
import org.setun.model.ModelDimensions;
import org.setun.model.SequenceState;
import org.setun.model.StateLayout;
import org.setun.model.Workspace;

/**
 * A model without weights. Its state is a rolling hash of the tokens seen and their number; the next token's logits are a
 * function of that hash, so that a lost, repeated or foreign token changes everything that follows.
 */
final class ScriptedModel implements Model {

    private static final ValueLayout.OfLong HASH = ValueLayout.JAVA_LONG;

    private static final int PAGE_TOKENS = 4;

    private final int vocabSize;
    private final boolean paged;
    private final boolean recurrent;
    private final Consumer<Batch> beforeForward;
    private final BiConsumer<Batch, Workspace> afterForward;

    /** Creates a model with hooks around each pass, on the engine thread: they may block, throw and spoil the logits. */
    ScriptedModel(int vocabSize, Consumer<Batch> beforeForward, BiConsumer<Batch, Workspace> afterForward) {
        this(vocabSize, false, true, beforeForward, afterForward);
    }

    private ScriptedModel(
            int vocabSize,
            boolean paged,
            boolean recurrent,
            Consumer<Batch> beforeForward,
            BiConsumer<Batch, Workspace> afterForward) {
        this.vocabSize = vocabSize;
        this.paged = paged;
        this.recurrent = recurrent;
        this.beforeForward = beforeForward;
        this.afterForward = afterForward;
    }

    /** Creates a model with a hook before each pass. */
    ScriptedModel(int vocabSize, Consumer<Batch> beforeForward) {
        this(vocabSize, beforeForward, (batch, workspace) -> {});
    }

    /** Creates a model of {@code vocabSize} tokens. */
    ScriptedModel(int vocabSize) {
        this(vocabSize, batch -> {});
    }

    /** Creates a model that also keeps every token on pages, of four tokens and 16 bytes, and reads them all at each step. */
    static ScriptedModel paged(int vocabSize, Consumer<Batch> beforeForward) {
        return new ScriptedModel(vocabSize, true, true, beforeForward, (batch, workspace) -> {});
    }

    /** Creates a model that keeps its tokens on such pages and nowhere else. */
    static ScriptedModel pagesOnly(int vocabSize, Consumer<Batch> beforeForward) {
        return new ScriptedModel(vocabSize, true, false, beforeForward, (batch, workspace) -> {});
    }

    /** Returns the greedy continuation of {@code prompt}, computed without an engine. */
    List<Integer> continuation(int[] prompt, int count) {
        long hash = 0;
        for (int token : prompt) {
            hash = hash(hash, token);
        }
        List<Integer> tokens = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int token = peak(hash);
            tokens.add(token);
            hash = hash(hash, token);
        }
        return tokens;
    }

    @Override
    public ModelDimensions dimensions() {
        return new ModelDimensions(vocabSize, 1, 1 << 20);
    }

    @Override
    public StateLayout stateLayout() {
        // Not a multiple of the alignment, as no real layout promises one.
        return new StateLayout(
                recurrent ? 2 * Long.BYTES + 4 : 0, PAGE_TOKENS, paged ? PAGE_TOKENS * Integer.BYTES : 0);
    }

    @Override
    public Workspace newWorkspace(int maxTokens, int maxLogitRows) {
        return new Workspace(dimensions(), maxTokens, maxLogitRows);
    }

    @Override
    public void forward(Batch batch, Workspace workspace) {
        if (batch.tokens() > workspace.maxTokens() || batch.logitRows() > workspace.maxLogitRows()) {
            throw new IllegalArgumentException("the batch exceeds the workspace");
        }
        beforeForward.accept(batch);
        int row = 0;
        int hidden = 0;
        for (Chunk chunk : batch.chunks()) {
            int wantedFrom = chunk.tokens().length - chunk.logitRows();
            for (int i = 0; i < chunk.tokens().length; i++) {
                if (paged) {
                    keep(chunk, i);
                }
                long hash = recurrent
                        ? advance(chunk.state(), chunk.position() + i, chunk.tokens()[i])
                        : kept(chunk, chunk.position() + i + 1);
                if (i >= wantedFrom) {
                    writeLogits(hash, workspace.logits(), workspace.logitsOffset(row++));
                }
                if (chunk.wanted() == Chunk.Wanted.HIDDEN) {
                    workspace.hidden()[hidden++] = hidden(hash);
                }
            }
            if (paged && recurrent) {
                requireOwnPast(chunk);
            }
        }
        afterForward.accept(batch, workspace);
    }

    @Override
    public void completeLogits(Workspace workspace, int row) {
        throw new AssertionError("all logits are there");
    }

    private static long advance(SequenceState state, int position, int token) {
        MemorySegment memory = state.recurrent();
        long seen = memory.getAtIndex(HASH, 1);
        if (seen != position) {
            throw new IllegalStateException("the state has seen " + seen + " tokens, the chunk is at " + position);
        }
        long hash = hash(memory.getAtIndex(HASH, 0), token);
        memory.setAtIndex(HASH, 0, hash);
        memory.setAtIndex(HASH, 1, seen + 1);
        return hash;
    }

    /** Writes a token of the chunk to its page. */
    private static void keep(Chunk chunk, int index) {
        int position = chunk.position() + index;
        chunk.state()
                .pages()
                .get(position / PAGE_TOKENS)
                .setAtIndex(ValueLayout.JAVA_INT, position % PAGE_TOKENS, chunk.tokens()[index]);
    }

    /** Checks that all tokens on the pages are the sequence's own. */
    private static void requireOwnPast(Chunk chunk) {
        long hash = kept(chunk, chunk.position() + chunk.tokens().length);
        if (hash != chunk.state().recurrent().getAtIndex(HASH, 0)) {
            throw new IllegalStateException("the pages hold other tokens than the sequence's");
        }
    }

    /** Returns the hash of the first {@code count} tokens on the pages. */
    private static long kept(Chunk chunk, int count) {
        long hash = 0;
        for (int position = 0; position < count; position++) {
            hash = hash(
                    hash,
                    chunk.state()
                            .pages()
                            .get(position / PAGE_TOKENS)
                            .getAtIndex(ValueLayout.JAVA_INT, position % PAGE_TOKENS));
        }
        return hash;
    }

    /** Returns the hidden state, of one number, after the tokens of a hash. */
    static float hidden(long hash) {
        return (hash >>> 40) * 0x1p-24f;
    }

    /** Returns the logits after {@code prompt}, computed without an engine. */
    float[] logitsAfter(int[] prompt) {
        float[] logits = new float[vocabSize];
        writeLogits(hashOf(prompt), logits, 0);
        return logits;
    }

    /** Returns the hash of a sequence's tokens. */
    static long hashOf(int[] tokens) {
        long hash = 0;
        for (int token : tokens) {
            hash = hash(hash, token);
        }
        return hash;
    }

    private void writeLogits(long hash, float[] logits, int offset) {
        for (int id = 0; id < vocabSize; id++) {
            logits[offset + id] = (hash(hash, id) >>> 40) * 0x1p-24f;
        }
        logits[offset + peak(hash)] = 1.5f;
    }

    private int peak(long hash) {
        return (int) Long.remainderUnsigned(hash, vocabSize);
    }

    private static long hash(long hash, int token) {
        long mixed = (hash + token + 1) * 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        return mixed ^ (mixed >>> 27);
    }

    @Override
    public void close() {}
}
