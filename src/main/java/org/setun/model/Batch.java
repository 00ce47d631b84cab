package org.setun.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What one forward pass runs: chunks of different sequences, their tokens laid end to end. The wanted logits come out in the
 * same order, row after row.
 *
 * @param chunks at least one; no two of the same sequence
 */
public record Batch(List<Chunk> chunks) {

    public Batch {
        chunks = List.copyOf(chunks);
        if (chunks.isEmpty()) {
            throw new IllegalArgumentException("a batch needs a chunk");
        }
    }

    /** Returns the batch of one chunk. */
    public static Batch of(Chunk chunk) {
        return new Batch(List.of(chunk));
    }

    /** Returns the number of tokens of all chunks. */
    public int tokens() {
        int tokens = 0;
        for (Chunk chunk : chunks) {
            tokens += chunk.tokens().length;
        }
        return tokens;
    }

    /** Returns whether there is a row of logits of which not all matter. */
    boolean hasCandidateRules() {
        for (Chunk chunk : chunks) {
            if (chunk.logitRows() > 0 && !(chunk.candidates() instanceof CandidateRule.All)) {
                return true;
            }
        }
        return false;
    }

    /** Returns which logits matter, for each row of logits. */
    List<CandidateRule> candidateRules() {
        List<CandidateRule> rules = new ArrayList<>(chunks.size());
        for (Chunk chunk : chunks) {
            rules.addAll(Collections.nCopies(chunk.logitRows(), chunk.candidates()));
        }
        return rules;
    }

    /** Returns the number of rows of logits that all chunks want. */
    public int logitRows() {
        int rows = 0;
        for (Chunk chunk : chunks) {
            rows += chunk.logitRows();
        }
        return rows;
    }
}
