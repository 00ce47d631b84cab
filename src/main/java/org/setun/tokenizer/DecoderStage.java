package org.setun.tokenizer;

/**
 * One step of the {@code decoder} of a {@code tokenizer.json}, from tokens to text, as Hugging Face's tokenizers library
 * defines it, but piece by piece: what a stage passes on cannot be changed by pieces that follow.
 */
sealed interface DecoderStage {

    /** Returns the stage for one sequence, in front of {@code next}. */
    PieceSink before(PieceSink next);

    /** Each character stands for a byte, as in GPT-2; the bytes of all tokens are one UTF-8 text. */
    record ByteLevel() implements DecoderStage {
        @Override
        public PieceSink before(PieceSink next) {
            return new ByteLevelSink(next);
        }
    }

    /** Tokens like {@code <0xE4>} are bytes, and a run of them is UTF-8 text. */
    record ByteFallback() implements DecoderStage {
        @Override
        public PieceSink before(PieceSink next) {
            return new ByteFallbackSink(next);
        }
    }

    /** One text is replaced by another within each piece. */
    record Replace(String pattern, String content) implements DecoderStage {
        @Override
        public PieceSink before(PieceSink next) {
            return new MappingSink((piece, first) -> piece.replace(pattern, content), next);
        }
    }

    /** The replacement character is a space; those of the first piece vanish if {@code prefixed}. */
    record Metaspace(String replacement, boolean prefixed) implements DecoderStage {
        @Override
        public PieceSink before(PieceSink next) {
            return new MappingSink((piece, first) -> piece.replace(replacement, first && prefixed ? "" : " "), next);
        }
    }

    /** A character is removed at the ends of each piece, at most {@code start} and {@code stop} times. */
    record StripPieces(String content, int start, int stop) implements DecoderStage {
        @Override
        public PieceSink before(PieceSink next) {
            return new MappingSink((piece, first) -> strip(piece), next);
        }

        /** Returns a piece without what is removed at its ends. */
        String strip(String piece) {
            int from = 0;
            for (int i = 0; i < start && piece.startsWith(content, from); i++) {
                from += content.length();
            }
            String rest = piece.substring(from);
            for (int i = 0; i < stop && rest.endsWith(content); i++) {
                rest = rest.substring(0, rest.length() - content.length());
            }
            return rest;
        }
    }

    /** A character is removed at the beginning of the whole text, at most {@code start} times. */
    record StripStart(String content, int start) implements DecoderStage {
        @Override
        public PieceSink before(PieceSink next) {
            return new StripStartSink(content, start, next);
        }
    }

    /** Tokens are joined by a text: what happens where a tokenizer has no decoder. */
    record Join(String separator) implements DecoderStage {
        @Override
        public PieceSink before(PieceSink next) {
            return new MappingSink((piece, first) -> first ? piece : separator + piece, next);
        }
    }
}
