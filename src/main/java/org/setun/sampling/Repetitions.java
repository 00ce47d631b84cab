package org.setun.sampling;

/**
 * Finds which tokens would continue a repetition, see {@link Dry}: in time that grows with the number of tokens looked at. For one
 * thread at a time.
 */
final class Repetitions {

    private final int[] lengths;
    private final int[] continuing;
    private int[] matches = {};

    Repetitions(int vocabSize) {
        this.lengths = new int[vocabSize];
        this.continuing = new int[vocabSize];
    }

    /** Subtracts the penalties from the logits of all tokens. */
    void penalise(float[] logits, Dry dry, History history) {
        int count = Math.min(dry.lastTokens(), history.totalTokens());
        int longest = dry.breakers().tokensSince(history.tokens(), history.totalTokens(), count);
        if (count <= dry.allowedLength() || longest < dry.allowedLength()) {
            return;
        }
        match(history.tokens(), history.totalTokens(), count);
        int found = 0;
        for (int back = 1; back < count; back++) {
            int length = Math.min(matches[back], longest);
            if (length >= dry.allowedLength()) {
                int next = history.tokens()[history.totalTokens() - back];
                if (lengths[next] == 0) {
                    continuing[found++] = next;
                }
                lengths[next] = Math.max(lengths[next], length);
            }
        }
        for (int i = 0; i < found; i++) {
            int token = continuing[i];
            if (!dry.breakers().breaksAlone(token)) {
                logits[token] = lowered(logits[token], dry.penalty(lengths[token]));
            }
            lengths[token] = 0;
        }
    }

    /** A long repetition's penalty has no bound, but forbids nothing: where all tokens repeat, one of them is chosen. */
    private static float lowered(float logit, double penalty) {
        return logit == Float.NEGATIVE_INFINITY ? logit : (float) Math.max(-Float.MAX_VALUE, logit - penalty);
    }

    /**
     * Sets {@code matches[back]}, for {@code back} from 1, to how many of the last tokens also end {@code back} tokens before the end: the Z-function of
     * the {@code count} last tokens, read backwards (Gusfield, Algorithms on Strings, Trees and Sequences, section 1.3). Each token is
     * compared with success at most once.
     */
    private void match(int[] tokens, int total, int count) {
        if (matches.length < count) {
            matches = new int[Math.max(count, Math.min(2 * matches.length, Integer.MAX_VALUE / 2))];
        }
        int last = total - 1;
        int boxStart = 0;
        int boxEnd = 0;
        for (int back = 1; back < count; back++) {
            int length = back < boxEnd ? Math.min(boxEnd - back, matches[back - boxStart]) : 0;
            while (back + length < count && tokens[last - length] == tokens[last - back - length]) {
                length++;
            }
            matches[back] = length;
            if (back + length > boxEnd) {
                boxStart = back;
                boxEnd = back + length;
            }
        }
    }
}
