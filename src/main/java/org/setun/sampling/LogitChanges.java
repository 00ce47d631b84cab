package org.setun.sampling;

/**
 * Changes the logits of single tokens, in a copy: those that cannot be chosen, those with a bias, those that the sequence has
 * already, and those that would continue a repetition. The time for a row is that of the copy, of the biases, and of the tokens of
 * the sequence that count. Holds scratch for one vocabulary; for one thread at a time.
 */
final class LogitChanges {

    private final float[] changed;
    private final int[] counts;
    private final boolean[] present;
    private final int[] distinct;
    private final Repetitions repetitions;

    LogitChanges(int vocabSize) {
        this.changed = new float[vocabSize];
        this.counts = new int[vocabSize];
        this.present = new boolean[vocabSize];
        this.distinct = new int[vocabSize];
        this.repetitions = new Repetitions(vocabSize);
    }

    /**
     * Returns changed logits, valid until the next call.
     *
     * @param logits those of all tokens, or of some if none but biases and bans change them
     */
    Logits apply(Logits logits, SamplingParameters parameters, History history) {
        copy(logits);
        history.banned().forEach(this::ban);
        parameters.bias().bannedWords().forEach(word -> {
            if (history.generatedEndsWith(word.subList(0, word.size() - 1))) {
                ban(word.getLast());
            }
        });
        parameters.bias().byId().forEach(this::add);
        if (parameters.penalties().areOn()) {
            penalise(parameters.penalties(), history);
        }
        if (parameters.dry().isOn()) {
            repetitions.penalise(changed, parameters.dry(), history);
        }
        return new Logits(changed, 0, logits.ids(), logits.count(), logits.omitted());
    }

    private void copy(Logits logits) {
        if (logits.ids() == null) {
            System.arraycopy(logits.values(), logits.offset(), changed, 0, changed.length);
            return;
        }
        for (int i = 0; i < logits.count(); i++) {
            changed[logits.id(i)] = logits.of(logits.id(i));
        }
    }

    private void ban(int id) {
        add(id, Float.NEGATIVE_INFINITY);
    }

    /** Tokenizers may know more ids than their models. */
    private void add(int id, float bias) {
        if (id < changed.length) {
            changed[id] += bias;
        }
    }

    private void penalise(Penalties penalties, History history) {
        int firstCounted = penalties.firstCounted(history);
        int first = penalties.repetition() == 1 ? firstCounted : penalties.firstRepeated(history);
        int found = 0;
        for (int i = first; i < history.totalTokens(); i++) {
            int id = history.tokens()[i];
            if (!present[id]) {
                present[id] = true;
                distinct[found++] = id;
            }
            if (i >= firstCounted) {
                counts[id]++;
            }
        }
        for (int i = 0; i < found; i++) {
            int id = distinct[i];
            changed[id] = penalties.apply(changed[id], counts[id]);
            counts[id] = 0;
            present[id] = false;
        }
    }
}
