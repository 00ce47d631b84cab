package org.setun.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The merges that SentencePiece's scores amount to. SentencePiece joins the two neighbours whose joint piece has the highest
 * score, the leftmost of several; a list of merges says the same if it holds every way to make each piece out of two, the
 * piece with the highest score first. Among pieces of one score the lower id comes first, where SentencePiece would take
 * the leftmost in the text: no list can say that, and trained vocabularies have no such pieces.
 */
final class ScoredMerges {

    /** No piece that is made by merging is longer; SentencePiece's own limit is 16 characters unless it is raised. */
    static final int LONGEST_PIECE = 256;

    private final GgufVocabulary vocabulary;
    private final GgufTokens tokens;

    ScoredMerges(GgufVocabulary vocabulary, GgufTokens tokens) {
        this.vocabulary = vocabulary;
        this.tokens = tokens;
    }

    /** Takes the merges, first rank first. */
    interface Sink {
        void merge(String left, String right) throws TokenizerFormatException;
    }

    private record Split(String left, int leftId, String right, int rightId) {}

    /** @throws TokenizerFormatException if scores are missing or no numbers, or a piece is too long */
    void writeTo(Sink sink) throws TokenizerFormatException {
        for (long key : inOrder()) {
            for (Split split : splits(tokens.text((int) key))) {
                sink.merge(split.left, split.right);
            }
        }
    }

    /** Returns the ids of pieces in the low half of numbers whose order is that of the merges. */
    private long[] inOrder() throws TokenizerFormatException {
        float[] scores = vocabulary.scores();
        if (scores.length == 0) {
            throw vocabulary.fault("scores", "expected a score for each token, found none");
        }
        long[] keys = new long[tokens.size()];
        int count = 0;
        int joint = 0;
        float lowest = Float.POSITIVE_INFINITY;
        float highest = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < tokens.size(); id++) {
            if (!isMerged(id)) {
                continue;
            }
            if (Float.isNaN(scores[id])) {
                throw vocabulary.fault("scores", "expected numbers, found NaN for id " + id);
            }
            int length = tokens.text(id).length();
            if (length > LONGEST_PIECE) {
                throw vocabulary.fault(
                        "tokens",
                        "expected pieces of at most " + LONGEST_PIECE + " characters, found " + length + " in id "
                                + id);
            }
            if (length > 1) {
                joint++;
                lowest = Math.min(lowest, scores[id]);
                highest = Math.max(highest, scores[id]);
            }
            // Adding zero makes the negative one positive.
            int bits = Float.floatToIntBits(scores[id] + 0f);
            int ascending = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
            keys[count++] = ((long) ~ascending << Integer.SIZE) | id;
        }
        requireOrder(joint, lowest, highest);
        long[] sorted = Arrays.copyOf(keys, count);
        Arrays.sort(sorted);
        return sorted;
    }

    /** Conversions that do not know the scores write one for all, of which no merges can be made. */
    private void requireOrder(int pieces, float lowest, float highest) throws TokenizerFormatException {
        if (pieces > 1 && lowest == highest) {
            throw vocabulary.fault("scores", "expected scores that order the pieces, found " + lowest + " for all");
        }
    }

    private boolean isMerged(int id) {
        boolean text = tokens.kind(id) == GgufTokens.Kind.TEXT || tokens.kind(id) == GgufTokens.Kind.ADDED;
        return text && !tokens.isDuplicate(id);
    }

    /** Returns every way to make a piece out of two. */
    private List<Split> splits(String piece) {
        List<Split> splits = new ArrayList<>();
        for (int at = 1; at < piece.length(); at++) {
            String left = piece.substring(0, at);
            String right = piece.substring(at);
            int leftId = tokens.id(left).orElse(-1);
            int rightId = tokens.id(right).orElse(-1);
            if (leftId >= 0 && rightId >= 0 && isMerged(leftId) && isMerged(rightId)) {
                splits.add(new Split(left, leftId, right, rightId));
            }
        }
        splits.sort(Comparator.comparingInt(Split::leftId).thenComparingInt(Split::rightId));
        return splits;
    }
}
