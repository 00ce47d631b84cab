package org.setun.cli.chat;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TurnTextTest {

    private static void complete(String typed, String content) {
        assertThat(TurnText.isComplete(typed)).as("%s", typed).isTrue();
        assertThat(TurnText.content(typed)).isEqualTo(content);
    }

    @Test
    void aLineIsATurn() {
        complete("", "");
        complete("Hello, \"world\"", "Hello, \"world\"");
        complete("pasted\n  text\n", "pasted\n  text\n");
    }

    @Test
    void aBackslashJoinsLines() {
        complete("one\\\n two\\\nthree", "one\n two\nthree");
        complete("C:\\dir", "C:\\dir");
    }

    @Test
    void quotesTakeLinesAsTheyAre() {
        complete("\"\"\"\n/help \\\n  x\n\"\"\"", "/help \\\n  x");
        complete("  \"\"\"a \"\"\"b\"\"\"  ", "a \"\"\"b");
        complete("\"\"\"\n\"\"\"", "");
        complete("\"\"\"\"\"\"", "");
        assertThat(TurnText.isBlock(" \"\"\"")).isTrue();
        assertThat(TurnText.isBlock("a \"\"\"")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"one\\", "one\\\ntwo\\", "\"\"\"", "\"\"\"\"", "\"\"\" a\n\"\"\" b", "\"\"\"\"\""})
    void whatHasNotEndedGoesOn(String typed) {
        assertThat(TurnText.isComplete(typed)).isFalse();
    }

    @Test
    void theEndOfTheInputEndsWhatHasNotEnded() {
        assertThat(TurnText.content("one\\\ntwo\\")).isEqualTo("one\ntwo");
        assertThat(TurnText.content("\"\"\"\none\ntwo")).isEqualTo("one\ntwo");
    }
}
