package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.setun.checkpoint.GgufBytes.concat;
import static org.setun.checkpoint.GgufBytes.ints;
import static org.setun.checkpoint.GgufBytes.longs;

import java.lang.foreign.MemorySegment;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

final class GgufMetadataTest {

    private static final String OTHER = "; the file was written by other rules, convert the model again";

    @Test
    void everyIntegerTypeReadsExactly() throws Exception {
        GgufMetadata metadata = parse(new GgufBytes()
                .key("u8", 0, new byte[] {-1})
                .key("i8", 1, new byte[] {-1})
                .key("u16", 2, new byte[] {-1, -1})
                .key("i16", 3, new byte[] {-2, -1})
                .key("u32", 4, ints(-1))
                .key("i32", 5, ints(-3))
                .key("u64", 10, longs(Long.MAX_VALUE))
                .key("i64", 11, longs(Long.MIN_VALUE)));
        assertThat(metadata.integer("u8")).isEqualTo(255);
        assertThat(metadata.integer("i8")).isEqualTo(-1);
        assertThat(metadata.integer("u16")).isEqualTo(65_535);
        assertThat(metadata.integer("i16")).isEqualTo(-2);
        assertThat(metadata.integer("u32")).isEqualTo(4_294_967_295L);
        assertThat(metadata.integer("i32")).isEqualTo(-3);
        assertThat(metadata.integer("u64")).isEqualTo(Long.MAX_VALUE);
        assertThat(metadata.findInteger("i64")).hasValue(Long.MIN_VALUE);
        assertThat(metadata.keys()).startsWith("u8", "i8");
        assertRefused(() -> metadata.count("u32"), "u32: expected an integer from 0 to 2147483647, found 4294967295");
        assertRefused(() -> metadata.count("i8"), "i8: expected an integer from 0 to 2147483647, found -1");
    }

    @Test
    void arraysReadWithoutTheirElementsBeingBoxed() throws Exception {
        GgufMetadata metadata = parse(new GgufBytes()
                .array("i32", 5, 3, ints(1, -2, 3))
                .array("u64", 10, 1, longs(-1))
                .array("f32", 6, 2, ints(Float.floatToIntBits(0.5f), Float.floatToIntBits(-2)))
                .strings("strings", "a", "", "Ġ")
                .array("nested", 9, 1, concat(ints(0), longs(1), new byte[1]))
                .bool("last", true));
        assertThat(metadata.integers("i32")).containsExactly(1, -2, 3);
        assertThat(metadata.floats("f32")).containsExactly(0.5f, -2);
        assertThat(metadata.strings("strings")).containsExactly("a", "", "Ġ");
        assertThat(metadata.bool("last")).isTrue();
        assertThat(metadata.describe())
                .containsEntry("nested", "an array of 1 ARRAY")
                .containsEntry("last", "true");
        assertRefused(
                () -> metadata.integers("u64"), "u64: expected an integer below 2^63, found 18446744073709551615");
        assertRefused(() -> metadata.integers("f32"), "f32: expected an array of integers, found an array of 2 F32");
        assertRefused(() -> metadata.floats("i32"), "i32: expected an array of F32, found an array of 3 I32");
        assertRefused(() -> metadata.strings("last"), "last: expected an array of strings, found BOOL");
        assertRefused(() -> metadata.string("strings"), "strings: expected a string, found an array of 3 STRING");
    }

    @Test
    void floatingPointNumbersAndBooleansReadAsThemselves() throws Exception {
        GgufMetadata metadata = parse(new GgufBytes()
                .f32("f32", 1e-5f)
                .key("f64", 12, longs(Double.doubleToLongBits(0.1)))
                .bool("no", false)
                .key("odd", 7, new byte[] {2}));
        assertThat((float) metadata.decimal("f32")).isEqualTo(1e-5f);
        assertThat(metadata.findDecimal("f64")).hasValue(0.1);
        assertThat(metadata.findBool("no")).contains(false);
        assertThat(metadata.findBool("none")).isEmpty();
        assertRefused(() -> metadata.bool("odd"), "odd: expected 0 or 1, found 2");
        assertRefused(() -> metadata.decimal("no"), "no: expected a floating-point number, found BOOL");
        assertRefused(() -> metadata.string("none"), "none: expected a string, found no such key");
    }

    @Test
    void vocabularyMustAgreeWithItself() throws Exception {
        GgufBytes tokens =
                new GgufBytes().string("tokenizer.ggml.model", "llama").strings("tokenizer.ggml.tokens", "a", "b");
        GgufMetadata one = parse(tokens.u32("tokenizer.ggml.eos_token_id", 2));
        assertRefused(
                () -> EmbeddedVocabulary.read(one),
                "tokenizer.ggml.eos_token_id: expected the id of one of 2 tokens, found 2");
        GgufMetadata two = parse(tokens.array("tokenizer.ggml.scores", 6, 1, ints(0)));
        assertRefused(
                () -> EmbeddedVocabulary.read(two),
                "tokenizer.ggml.scores: expected 2 elements, one for each token, found 1");
        assertRefused(
                () -> EmbeddedVocabulary.read(parse(new GgufBytes())),
                "tokenizer.ggml.tokens: expected an array of strings, found no such key");
    }

    private static GgufMetadata parse(GgufBytes bytes) throws CheckpointFormatException {
        return GgufFile.parse("f", MemorySegment.ofArray(bytes.build())).metadata();
    }

    private static void assertRefused(ThrowingCallable call, String message) {
        assertThatThrownBy(call)
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage("f: metadata " + message + OTHER);
    }
}
