package org.setun.cli;

import java.util.ArrayList;
import java.util.List;
import org.setun.model.Batch;
import org.setun.model.Chunk;
import org.setun.model.SequenceState;

/**
 * A decoding step: a token of each of several sequences, the likeliest after the one before. After {@link #LAP} steps their
 * positions are what they were at first, so that the context stays as long as it is said to be.
 */
final class DecodeWorkload implements Workload {

    /** Steps until the positions begin again; so many tokens more than the context must the states have room for. */
    static final int LAP = 32;

    private final TimedModel model;
    private final List<SequenceState> states;
    private final int context;
    private final BenchSetting setting;
    private final int[] tokens;
    private int step;

    /**
     * Creates the steps of {@code setting.batch()} sequences.
     *
     * @param states of at least as many sequences, after the context
     * @param context how many tokens came before
     */
    DecodeWorkload(TimedModel model, List<SequenceState> states, int context, BenchSetting setting) {
        this.model = model;
        this.states = List.copyOf(states.subList(0, setting.batch()));
        this.context = context;
        this.setting = setting;
        this.tokens = new int[setting.batch()];
    }

    @Override
    public int parts() {
        return 1;
    }

    @Override
    public long units(int part) {
        return tokens.length;
    }

    @Override
    public void run(int part) {
        int position = context + step++ % LAP;
        List<Chunk> chunks = new ArrayList<>(tokens.length);
        for (int i = 0; i < tokens.length; i++) {
            int[] token = {tokens[i]};
            chunks.add(new Chunk(
                    states.get(i), position, token, Chunk.Wanted.LAST, setting.sparsity(), TimedModel.LIKELIEST));
        }
        model.forward(new Batch(chunks));
        for (int row = 0; row < tokens.length; row++) {
            tokens[row] = model.likeliest(row);
        }
    }
}
