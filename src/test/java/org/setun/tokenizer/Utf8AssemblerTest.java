package org.setun.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class Utf8AssemblerTest {

    @Test
    void everyCharacterIsDecoded() {
        StringBuilder all = new StringBuilder();
        for (int character = 0; character <= Character.MAX_CODE_POINT; character++) {
            if (character < Character.MIN_SURROGATE || character > Character.MAX_SURROGATE) {
                all.appendCodePoint(character);
            }
        }
        assertThat(decode(all.toString().getBytes(StandardCharsets.UTF_8))).isEqualTo(all.toString());
    }

    /** The examples of the Unicode standard, section 3.9, and those where the JDK's decoder differs. */
    @ParameterizedTest
    @CsvSource({
        "61F1808041, a?A",
        "C0AFE080BFF0818241, ????????A",
        "EDA080EDBFBFEDAF41, ????????A",
        "F4919293FF4180BF42, ?????A??B",
        "E180E2F09192F1BF41, ????A",
        "F09F98, ?"
    })
    void eachLongestBeginningBecomesOneReplacementCharacter(String bytes, String expected) {
        assertThat(decode(HexFormat.of().parseHex(bytes))).isEqualTo(expected.replace('?', '\uFFFD'));
    }

    private static String decode(byte[] bytes) {
        Utf8Assembler assembler = new Utf8Assembler();
        StringBuilder text = new StringBuilder();
        for (byte value : bytes) {
            assembler.accept(Byte.toUnsignedInt(value), text);
        }
        assembler.finish(text);
        return text.toString();
    }
}
