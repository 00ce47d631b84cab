package org.setun.tokenizer;

import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ids, text, streams and rendered chats are those of Hugging Face's libraries. */
final class GoldenTokenizerTest {

    private static final String TOKENIZERS = "org.setun.tokenizer.Golden#tokenizers";

    @ParameterizedTest
    @MethodSource(TOKENIZERS)
    void idsAndTextAreTheExpectedOnes(String name) throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory(name))) {
            GoldenChecks.checkTexts(tokenizer, name, Set.of());
        }
    }

    @ParameterizedTest
    @MethodSource(TOKENIZERS)
    void streamsEmitWhatIsCertainAndNothingElse(String name) throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory(name))) {
            GoldenChecks.checkStreams(tokenizer, name);
        }
    }

    @ParameterizedTest
    @MethodSource(TOKENIZERS)
    void chatsRenderAndEncodeAsExpected(String name) throws Exception {
        try (Tokenizer tokenizer = Tokenizer.load(Golden.directory(name))) {
            GoldenChecks.checkChats(tokenizer, name);
        }
    }
}
