package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WireJsonTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "  ", "{", "{\"prompt\":", "{\"prompt\":\"x\"", "{\"prompt\":\"x\"} {}", "{\"prompt\":\"x\"}]",
                        "[1]",
                "3", "null", "\"text\"", "{\"a\":NaN}", "{\"a\":1e}", "{'a':1}", "{\"a\":1,}", "{\"a\":1,\"a\":2}",
                "{\"a\":\"\\q\"}", "{\"a\":\"\n\"}", "{\"a\":01}", "<html>"
            })
    void whatIsNotOneJsonObjectIsRefusedWithoutNamesOfClasses(String body) {
        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> read(body.getBytes(StandardCharsets.UTF_8)))
                .satisfies(e -> {
                    assertThat(e.body().error().code()).isEqualTo("invalid_json");
                    assertThat(e.getMessage())
                            .doesNotContain("tools.jackson", "java.", "Source", "Feature", "Node", "`");
                });
    }

    @Test
    void anErrorNamesItsPlace() {
        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> read("{\"a\": 1,\n \"b\": oops}".getBytes(StandardCharsets.UTF_8)))
                .withMessageStartingWith("the body is not valid JSON at line 2, column ");
    }

    @Test
    void malformedUtf8IsRefused() {
        byte[] body = {'{', '"', 'a', '"', ':', '"', (byte) 0xC3, (byte) 0x28, '"', '}'};

        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> read(body))
                .withMessageContaining("UTF-8");
    }

    @Test
    void nestingHasALimit() {
        String body = "{\"a\":" + "[".repeat(WireJson.MAX_DEPTH) + "]".repeat(WireJson.MAX_DEPTH) + "}";

        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> read(body.getBytes(StandardCharsets.UTF_8)))
                .withMessage("the body's JSON exceeds a limit: "
                        + "Document nesting depth (101) exceeds the maximum allowed (100)");
    }

    @ParameterizedTest
    @ValueSource(ints = {1_001, 1_000_000})
    void numbersHaveALimitedLength(int digits) {
        byte[] body = ("{\"a\":" + "9".repeat(digits) + "}").getBytes(StandardCharsets.UTF_8);

        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> read(body))
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(300).doesNotContain("`"));
    }

    private static JsonFields read(byte[] body) {
        return WireJson.readObject(body);
    }
}
