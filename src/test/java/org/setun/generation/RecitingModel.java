package org.setun.generation;

import java.lang.foreign.ValueLayout;
import org.setun.model.Batch;
import org.setun.model.Chunk;
import org.setun.model.Model;
import org.setun.model.ModelDimensions;
import org.setun.model.StateLayout;
import org.setun.model.Workspace;

/** Knows one text by heart: after any {@code n} tokens it goes on with the text's token {@code n}, over and over. */
final class RecitingModel implements Model {

    private final int vocabSize;
    private final int[] text;

    RecitingModel(int vocabSize, int... text) {
        this.vocabSize = vocabSize;
        this.text = text;
    }

    @Override
    public ModelDimensions dimensions() {
        return new ModelDimensions(vocabSize, 1, 1 << 20);
    }

    @Override
    public StateLayout stateLayout() {
        return StateLayout.recurrent(Integer.BYTES);
    }

    @Override
    public Workspace newWorkspace(int maxTokens, int maxLogitRows) {
        return new Workspace(dimensions(), maxTokens, maxLogitRows);
    }

    @Override
    public void forward(Batch batch, Workspace workspace) {
        int row = 0;
        int hidden = 0;
        for (Chunk chunk : batch.chunks()) {
            int wantedFrom = chunk.tokens().length - chunk.logitRows();
            for (int i = 0; i < chunk.tokens().length; i++) {
                int seen = chunk.state().recurrent().get(ValueLayout.JAVA_INT, 0) + 1;
                chunk.state().recurrent().set(ValueLayout.JAVA_INT, 0, seen);
                if (i >= wantedFrom) {
                    int offset = workspace.logitsOffset(row++);
                    for (int id = 0; id < vocabSize; id++) {
                        workspace.logits()[offset + id] = id == text[seen % text.length] ? 1 : 0;
                    }
                }
                if (chunk.wanted() == Chunk.Wanted.HIDDEN) {
                    // As many tokens as the model has seen, so that a mean tells which states it is of.
                    workspace.hidden()[hidden++] = seen;
                }
            }
        }
    }

    @Override
    public void completeLogits(Workspace workspace, int row) {
        throw new AssertionError("all logits are there");
    }

    @Override
    public void close() {}
}
