package org.setun.generation;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.tokenizer.IncrementalDecoder;
import org.setun.tokenizer.Tokenizer;

final class ContinuingDecoderTest {

    private static final String TEXT = "Once upon\n\na naïve\t\"Жар-птица\" 🐦 cost 5 €.";

    @ParameterizedTest
    @ValueSource(strings = {"byte-level-gpt2", "byte-level-llama3", "metaspace-llama2", "metaspace-mistral"})
    void aPromptAndWhatContinuesItAreOneTextWhereverItIsCut(String name) throws Exception {
        try (Tokenizer tokenizer = tokenizer(name)) {
            int[] ids = tokenizer.encode(TEXT, true);
            for (int cut = 1; cut < ids.length; cut++) {
                String prompt = tokenizer.decode(Arrays.copyOf(ids, cut), true);
                // An unfinished character belongs to what finishes it.
                String before = prompt.replaceAll("\ufffd+$", "");
                assertThat(before + continuation(tokenizer, ids, cut))
                        .as("%d of %d tokens", cut, ids.length)
                        .isEqualTo(TEXT);
            }
        }
    }

    @Test
    void theFirstWordOfAnEmptyTextHasNoSpace() throws Exception {
        try (Tokenizer tokenizer = tokenizer("metaspace-llama2")) {
            int[] ids = tokenizer.encode("Once", true);
            assertThat(continuation(tokenizer, ids, 1)).isEqualTo("Once");
        }
    }

    @Test
    void tokensOfThePromptThatTheTokenizerDoesNotKnowAreSkipped() throws Exception {
        try (Tokenizer tokenizer = tokenizer("metaspace-llama2")) {
            int[] ids = tokenizer.encode("Once upon", true);
            ids[0] = tokenizer.vocabSize() + 3;
            assertThat(continuation(tokenizer, ids, ids.length)).isEmpty();
        }
    }

    private static String continuation(Tokenizer tokenizer, int[] ids, int from) {
        IncrementalDecoder decoder = ContinuingDecoder.after(Arrays.copyOf(ids, from), tokenizer);
        StringBuilder text = new StringBuilder();
        for (int i = from; i < ids.length; i++) {
            text.append(decoder.append(ids[i]));
        }
        return text.append(decoder.flush()).toString();
    }

    private static Tokenizer tokenizer(String name) throws Exception {
        return Tokenizer.load(Path.of("src/test/resources/golden/tokenizer", name));
    }
}
