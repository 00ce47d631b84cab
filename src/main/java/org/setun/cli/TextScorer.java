package org.setun.cli;

import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import org.setun.model.Batch;
import org.setun.model.Chunk;
import org.setun.model.Model;
import org.setun.model.SequenceState;
import org.setun.model.StateLayout;
import org.setun.model.Workspace;
import org.setun.tokenizer.Tokenizer;

/**
 * Sums up how well a model predicts texts: every token of a text, from the token that begins a text and the tokens before it.
 *
 * <p>A text of more tokens than the context is read in windows of that many, side by side; each begins anew. For one thread
 * at a time.
 */
final class TextScorer {

    /** Tokens of one forward pass: bounds the memory for logits, whatever the text's length. */
    private static final int CHUNK = 128;

    /** Windows of a model with attention, unless it was trained for less: the length that papers report perplexity at. */
    private static final int ATTENTION_CONTEXT = 2048;

    private final Model model;
    private final Tokenizer tokenizer;
    private final Setting setting;
    private final SequenceState state;
    private final Workspace workspace;

    private int previous;
    private int position;
    private long tokens;
    private long bytes;
    private double bits;

    /**
     * How texts are predicted.
     *
     * @param beginning the token that stands before a window
     * @param context tokens of a window at most, at least 1
     * @param activationSparsity the fraction of activations that layers drop, if they do not drop more by themselves
     */
    record Setting(int beginning, int context, double activationSparsity) {}

    /**
     * Creates a scorer of no texts yet.
     *
     * @param model remains the caller's
     * @param tokenizer the model's; remains the caller's
     * @param arena lives at least as long as this
     */
    TextScorer(Model model, Tokenizer tokenizer, Setting setting, Arena arena) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.setting = setting;
        this.workspace = model.newWorkspace(CHUNK, CHUNK);
        this.state = SequenceState.allocate(model.stateLayout(), setting.context(), arena);
        begin();
    }

    /**
     * Returns the context for a model: any length where a sequence's memory does not grow with it, else what the model was
     * trained for, but at most {@value #ATTENTION_CONTEXT} tokens.
     */
    static int defaultContext(Model model) {
        StateLayout layout = model.stateLayout();
        return layout.pageBytes() == 0
                ? Integer.MAX_VALUE
                : Math.min(model.dimensions().maxPositions(), ATTENTION_CONTEXT);
    }

    /** Adds the next piece of a file. */
    void add(TextFile.Piece piece) {
        if (piece.first()) {
            begin();
        }
        int[] ids = tokenizer.encode(piece.text(), false);
        int done = 0;
        while (done < ids.length) {
            int count = Math.min(Math.min(CHUNK, ids.length - done), setting.context() - position);
            predict(ids, done, count);
            done += count;
            if (position == setting.context()) {
                begin();
            }
        }
        tokens += ids.length;
        bytes += piece.text().getBytes(StandardCharsets.UTF_8).length;
    }

    /** Returns the sum over all pieces so far. */
    Score score() {
        return new Score(tokens, bytes, bits);
    }

    private void begin() {
        state.reset();
        previous = setting.beginning();
        position = 0;
    }

    /** Predicts {@code count} tokens from {@code from} on, which follow those of this window so far. */
    private void predict(int[] ids, int from, int count) {
        int vocabSize = model.dimensions().vocabSize();
        int[] inputs = new int[count];
        inputs[0] = previous;
        System.arraycopy(ids, from, inputs, 1, count - 1);
        previous = ids[from + count - 1];
        if (previous >= vocabSize) {
            throw new IllegalArgumentException(
                    "expected token ids from 0 to " + (vocabSize - 1) + ", found " + previous);
        }
        Chunk chunk = new Chunk(state, position, inputs, Chunk.Wanted.ALL, setting.activationSparsity());
        model.forward(Batch.of(chunk), workspace);
        for (int row = 0; row < count; row++) {
            bits += bits(workspace.logits(), workspace.logitsOffset(row), vocabSize, ids[from + row]);
        }
        position += count;
    }

    /** Returns the negative log2 of a token's softmax, {@code log2(sum_i e^(x_i - x_token))}. */
    private static double bits(float[] logits, int offset, int vocabSize, int token) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = offset; i < offset + vocabSize; i++) {
            max = Math.max(max, logits[i]);
        }
        double sum = 0;
        for (int i = offset; i < offset + vocabSize; i++) {
            sum += Math.exp((double) logits[i] - max);
        }
        if (!Double.isFinite(sum)) {
            throw new IllegalArgumentException(
                    "a logit is not a number; the checkpoint's weights or scales are damaged,"
                            + " or its architecture is not what it says");
        }
        return (Math.log(sum) - ((double) logits[offset + token] - max)) / Math.log(2);
    }
}
