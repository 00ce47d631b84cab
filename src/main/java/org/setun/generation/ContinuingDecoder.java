package org.setun.generation;

import java.util.Arrays;
import org.setun.tokenizer.IncrementalDecoder;
import org.setun.tokenizer.Tokenizer;

/**
 * Decodes an answer that continues its prompt's text: as the tokens read in one text, but without the prompt's part. Many
 * tokenizers drop the space before a text's first word; by itself an answer would lose it.
 */
final class ContinuingDecoder implements IncrementalDecoder {

    /** As many last tokens of the prompt as hold a character, or a run of byte tokens, that matters to what follows. */
    private static final int CONTEXT = 16;

    private static final char REPLACEMENT = '\uFFFD';

    private final IncrementalDecoder decoder;
    /** How many of the next characters are the prompt's, which the decoder holds back. */
    private int ofPrompt;

    private ContinuingDecoder(IncrementalDecoder decoder, int ofPrompt) {
        this.decoder = decoder;
        this.ofPrompt = ofPrompt;
    }

    /** Returns a decoder, special tokens left out, of what follows the ids {@code prompt}. */
    static IncrementalDecoder after(int[] prompt, Tokenizer tokenizer) {
        int[] end = PromptEncoder.readable(
                Arrays.copyOfRange(prompt, Math.max(0, prompt.length - CONTEXT), prompt.length), tokenizer);
        IncrementalDecoder decoder = tokenizer.decoder(true);
        int given = 0;
        for (int id : end) {
            given += decoder.append(id).length();
        }
        String held = tokenizer.decode(end, true).substring(given);
        int length = held.length();
        // What is unfinished may still become a character, which then is the answer's.
        while (length > 0 && held.charAt(length - 1) == REPLACEMENT) {
            length--;
        }
        return new ContinuingDecoder(decoder, length);
    }

    @Override
    public String append(int id) {
        return ofAnswer(decoder.append(id));
    }

    @Override
    public String flush() {
        return ofAnswer(decoder.flush());
    }

    private String ofAnswer(String text) {
        int skipped = Math.min(ofPrompt, text.length());
        ofPrompt -= skipped;
        return text.substring(skipped);
    }
}
