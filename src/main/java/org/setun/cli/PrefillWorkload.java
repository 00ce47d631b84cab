package org.setun.cli;

import java.util.Arrays;
import org.setun.model.Batch;
import org.setun.model.Chunk;
import org.setun.model.SequenceState;

/**
 * A prompt of one sequence, chunk after chunk as the engine cuts it; the last token's logits are computed.
 *
 * @param model what runs
 * @param state room for the prompt
 * @param tokens the prompt
 * @param setting how it runs; of one sequence
 */
record PrefillWorkload(TimedModel model, SequenceState state, int[] tokens, BenchSetting setting) implements Workload {

    @Override
    public int parts() {
        return Math.ceilDiv(tokens.length, TimedModel.CHUNK_TOKENS);
    }

    @Override
    public long units(int part) {
        return (long) end(part) - start(part);
    }

    private static int start(int part) {
        return part * TimedModel.CHUNK_TOKENS;
    }

    private int end(int part) {
        return Math.min(start(part + 1), tokens.length);
    }

    @Override
    public void run(int part) {
        int from = start(part);
        int to = end(part);
        if (part == 0) {
            state.reset();
        }
        Chunk.Wanted wanted = to == tokens.length ? Chunk.Wanted.LAST : Chunk.Wanted.NONE;
        int[] chunk = Arrays.copyOfRange(tokens, from, to);
        model.forward(Batch.of(new Chunk(state, from, chunk, wanted, setting.sparsity(), TimedModel.LIKELIEST)));
    }
}
