package org.setun.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.setun.engine.Scheduler.Scheduled;
import org.setun.model.Candidates;
import org.setun.model.Chunk;
import org.setun.model.Model;
import org.setun.model.Workspace;
import org.setun.sampling.Logits;
import org.setun.sampling.Sampler;
import org.setun.sampling.TokenScore;
import org.setun.sampling.TokenScorer;

/**
 * What a pass left in its workspace, read chunk by chunk in the order of the batch: the next token, scores, hidden states. For the
 * engine thread.
 */
final class StepResults {

    private final Model model;
    private final Workspace workspace;
    private final int vocabSize;
    private final int hiddenSize;
    private final Sampler sampler;
    private final TokenScorer scorer;

    private int logitRow;
    private int hiddenRow;

    StepResults(Model model, Workspace workspace) {
        this.model = model;
        this.workspace = workspace;
        this.vocabSize = model.dimensions().vocabSize();
        this.hiddenSize = model.dimensions().hiddenSize();
        this.sampler = new Sampler(vocabSize);
        this.scorer = new TokenScorer(vocabSize);
    }

    /** Begins with the first chunk of a new pass. */
    void begin() {
        logitRow = 0;
        hiddenRow = 0;
    }

    /**
     * Tells the next chunk's owner of its prompt what it wants to know, and returns the token that follows the sequence; null if the
     * chunk does not lead to one. Whatever is thrown, the chunk counts as read.
     */
    EngineEvent.@Nullable Token read(Scheduled scheduled) {
        Sequence sequence = scheduled.sequence();
        Chunk chunk = scheduled.chunk();
        int firstRow = logitRow;
        int firstHidden = hiddenRow;
        logitRow += chunk.logitRows();
        hiddenRow += chunk.wanted() == Chunk.Wanted.HIDDEN ? chunk.tokens().length : 0;
        switch (chunk.wanted()) {
            case NONE, LAST -> {}
            case ALL -> tellScores(sequence, chunk, firstRow);
            case HIDDEN ->
                sequence.pool(workspace.hidden(), firstHidden * hiddenSize, chunk.tokens().length, hiddenSize);
        }
        if (sequence.pendingTokens() > 0
                || chunk.logitRows() == 0
                || sequence.request().ending().maxTokens() == 0) {
            return null;
        }
        return next(sequence, logitRow - 1);
    }

    /** Tells the scores of those tokens of the prompt that follow the chunk's and were not told before. */
    private void tellScores(Sequence sequence, Chunk chunk, int firstRow) {
        int top = sequence.request().details().promptScores().orElseThrow();
        int first = Math.max(sequence.scoredPrompt(), chunk.position() + 1);
        int end = Math.min(chunk.position() + chunk.tokens().length + 1, sequence.promptTokens());
        if (first >= end) {
            return;
        }
        List<TokenScore> scores = new ArrayList<>(end - first);
        for (int position = first; position < end; position++) {
            int row = firstRow + position - 1 - chunk.position();
            scores.add(scorer.score(workspace.logits(), workspace.logitsOffset(row), sequence.token(position), top));
        }
        sequence.scoredPrompt(end);
        sequence.request().group().told(sequence, scores);
        sequence.events().accept(new EngineEvent.PromptScores(first, scores));
    }

    private EngineEvent.Token next(Sequence sequence, int row) {
        int id = sample(sequence, row);
        OptionalInt top = sequence.request().details().scores();
        return new EngineEvent.Token(
                id,
                top.isEmpty()
                        ? null
                        : scorer.score(workspace.logits(), workspace.logitsOffset(row), id, top.getAsInt()));
    }

    /** Chooses among the logits that the model computed, or, where that leaves a doubt, among all. */
    private int sample(Sequence sequence, int row) {
        OptionalInt chosen = sample(sequence, workspace.candidates(row), row);
        if (chosen.isPresent()) {
            return chosen.getAsInt();
        }
        model.completeLogits(workspace, row);
        return sample(sequence, Candidates.ALL, row).orElseThrow();
    }

    private OptionalInt sample(Sequence sequence, Candidates candidates, int row) {
        return sampler.sample(
                logits(candidates, row),
                sequence.request().sampling(),
                sequence.seed(),
                sequence.history(),
                sequence.samplerState());
    }

    private Logits logits(Candidates candidates, int row) {
        float[] values = workspace.logits();
        int offset = workspace.logitsOffset(row);
        return candidates.areAll()
                ? Logits.all(values, offset, vocabSize)
                : new Logits(
                        values,
                        offset,
                        candidates.ids(),
                        candidates.count(),
                        new Logits.Omitted(candidates.omittedBelow(), candidates.omittedMass()));
    }
}
