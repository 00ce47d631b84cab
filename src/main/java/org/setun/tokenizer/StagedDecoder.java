package org.setun.tokenizer;

import java.util.List;

/** Decodes id by id through the stages of a tokenizer's decoder; each token costs what its own characters cost. */
final class StagedDecoder implements IncrementalDecoder {

    private final Vocabulary vocabulary;
    private final boolean skipSpecialTokens;
    private final StringBuilder text = new StringBuilder();
    private final PieceSink first;
    private boolean ended;

    StagedDecoder(Vocabulary vocabulary, List<DecoderStage> stages, boolean skipSpecialTokens) {
        this.vocabulary = vocabulary;
        this.skipSpecialTokens = skipSpecialTokens;
        PieceSink sink = new TextEnd();
        for (DecoderStage stage : stages.reversed()) {
            sink = stage.before(sink);
        }
        this.first = sink;
    }

    @Override
    public String append(int id) {
        checkOpen();
        String token = vocabulary.token(id);
        if (skipSpecialTokens && vocabulary.isSpecial(id)) {
            return "";
        }
        first.piece(token);
        return drain();
    }

    @Override
    public String flush() {
        checkOpen();
        ended = true;
        first.end();
        return drain();
    }

    private void checkOpen() {
        if (ended) {
            throw new IllegalStateException("the decoder has been flushed");
        }
    }

    private String drain() {
        String ready = text.toString();
        text.setLength(0);
        return ready;
    }

    /** The end of the chain. */
    private final class TextEnd implements PieceSink {
        @Override
        public void piece(String piece) {
            text.append(piece);
        }

        @Override
        public void end() {}
    }
}
