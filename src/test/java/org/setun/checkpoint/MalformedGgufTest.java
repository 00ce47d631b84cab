package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;
import static org.setun.checkpoint.GgufBytes.concat;
import static org.setun.checkpoint.GgufBytes.ints;
import static org.setun.checkpoint.GgufBytes.longs;
import static org.setun.checkpoint.GgufBytes.string;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

/** Every way in which a GGUF file can be wrong, with the sentence that its owner reads. */
final class MalformedGgufTest {

    private static final int F32 = 0;
    private static final int Q8_0 = 8;
    private static final int I2_S = 36;
    private static final int Q2_0 = 42;
    private static final int Q2_0_G128 = 142;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private static final String AGAIN = "; the file is damaged, download it again";
    private static final String TRUNCATED = "; the file is truncated or damaged, download it again";
    private static final String OTHER_TYPE =
            "; Setun runs ternary weights, get the model as I2_S, TQ1_0, TQ2_0 or Q2_0";
    private static final String OTHER = "; the file was written by other rules, convert the model again";

    static Stream<Arguments> malformedFiles() {
        byte[] f32 = new byte[16];
        byte[] valid = valid().build();
        return Stream.of(
                arguments(new byte[3], ": header: expected 4 bytes from byte 0, found a file of 3 bytes" + TRUNCATED),
                arguments(
                        valid().magic(0x12345678).build(),
                        ": expected a GGUF file, found 0x12345678 first; name a GGUF file"),
                arguments(
                        valid().version(1).build(),
                        ": version: expected 2 or 3, found 1; convert the model again with a current llama.cpp"),
                arguments(
                        valid().version(4).build(),
                        ": version: expected 2 or 3, found 4; convert the model again with a current llama.cpp"),
                arguments(
                        valid().version(0x03000000).build(),
                        ": version: expected 2 or 3, found 3 in big-endian order; get the little-endian file"),
                arguments(
                        valid().claimTensors(Long.MAX_VALUE).build(),
                        ": tensor count: expected at most 4 tensors, found 9223372036854775807" + TRUNCATED),
                arguments(
                        valid().claimKeys(Long.MIN_VALUE).build(),
                        ": metadata count: expected at most 8 metadata keys, found 9223372036854775808" + TRUNCATED),
                arguments(
                        new GgufBytes().key("k", 13, new byte[8]).build(),
                        ": metadata k: expected a value type from 0 to 12, found 13" + AGAIN),
                arguments(
                        new GgufBytes().key("k", STRING, longs(-1)).build(),
                        ": metadata k: expected a string of at most 16777216 bytes, found 18446744073709551615 bytes"
                                + AGAIN),
                arguments(
                        new GgufBytes().key("k", STRING, longs(1000)).build(),
                        ": metadata k: expected 1000 bytes from byte 45, found a file of 64 bytes" + TRUNCATED),
                arguments(
                        new GgufBytes()
                                .key("k", STRING, concat(longs(1), new byte[] {-1}))
                                .build(),
                        ": metadata k: the string is not UTF-8" + AGAIN),
                arguments(
                        new GgufBytes().array("k", 10, 1L << 61, new byte[8]).build(),
                        ": metadata k: expected at most 1 U64 elements, found 2305843009213693952" + TRUNCATED),
                arguments(
                        new GgufBytes().key("k", ARRAY, nested(5)).build(),
                        ": metadata k: arrays nest deeper than 4" + AGAIN),
                arguments(
                        new GgufBytes().u32("k", 1).u32("k", 2).build(),
                        ": metadata k: the key stands there twice" + AGAIN),
                arguments(
                        new GgufBytes().u32("general.alignment", 24).build(),
                        ": metadata general.alignment: expected a power of two, found 24" + OTHER),
                arguments(
                        new GgufBytes().u32("general.alignment", 0).build(),
                        ": metadata general.alignment: expected a power of two, found 0" + OTHER),
                arguments(
                        new GgufBytes().string("general.alignment", "32").build(),
                        ": metadata general.alignment: expected an integer, found STRING" + OTHER),
                arguments(valid().tensor("a", F32, f32, 4).build(), ": tensor a: the name stands there twice" + AGAIN),
                arguments(
                        new GgufBytes()
                                .entry(concat(string("a"), ints(5), longs(1, 1, 1, 1, 1), ints(F32), longs(0)))
                                .build(),
                        ": tensor a: expected at most 4 dimensions, found 5" + AGAIN),
                arguments(
                        new GgufBytes().entry("a", F32, 0, -1).build(),
                        ": tensor a: expected extents below 2^63, found 18446744073709551615" + AGAIN),
                arguments(
                        new GgufBytes().entry("a", F32, 0, 1L << 40, 1L << 40).build(),
                        ": tensor a: shape: expected less than 2^63 bytes, found [1099511627776, 1099511627776] F32"
                                + AGAIN),
                arguments(
                        new GgufBytes().entry("a", 12, 0, 256).build(),
                        ": tensor a: type 12, which is Q4_K is not supported" + OTHER_TYPE),
                arguments(
                        new GgufBytes().entry("a", -1, 0, 256).build(),
                        ": tensor a: type 4294967295 is not supported" + OTHER_TYPE),
                arguments(
                        valid().entry("b", F32, 8, 2).build(),
                        ": tensor b: offset: expected a multiple of 32 up to 32, found 8" + TRUNCATED),
                arguments(
                        valid().entry("b", F32, 64, 2).build(),
                        ": tensor b: offset: expected a multiple of 32 up to 32, found 64" + TRUNCATED),
                arguments(
                        valid().entry("b", F32, -32, 2).build(),
                        ": tensor b: offset: expected a multiple of 32 up to 32, found 18446744073709551584"
                                + TRUNCATED),
                arguments(
                        valid().entry("b", F32, 0, 4).build(),
                        ": tensor b: its data overlap those of tensor a" + AGAIN),
                arguments(
                        new GgufBytes().tensor("a", F32, f32, 400).build(),
                        ": tensor a: expected 1600 bytes for [400] F32, found 32 up to the end of the file; the file is"
                                + " truncated, download it again"),
                arguments(
                        new GgufBytes().tensor("a", Q8_0, new byte[34], 16, 2).build(),
                        ": tensor a: expected rows of whole Q8_0 blocks of 32, found [2, 16]" + AGAIN),
                arguments(
                        new GgufBytes().tensor("a", I2_S, new byte[64], 64).build(),
                        ": tensor a: expected rows of whole I2_S blocks of 128, found [64]" + AGAIN),
                arguments(
                        new GgufBytes()
                                .tensor("a", Q2_0, new byte[1000], 128, 8)
                                .build(),
                        ": tensor a: expected the size of [8, 128] Q2_0, in blocks of 64 or 128, found 1024 bytes up to the"
                                + " next tensor; the file is damaged or written by an unknown fork, get another one"),
                arguments(
                        Arrays.copyOf(valid, valid.length - 17),
                        ": tensor a: expected 16 bytes for [4] F32, found 15 up to the end of the file; the file is"
                                + " truncated, download it again"));
    }

    @ParameterizedTest
    @MethodSource("malformedFiles")
    void malformedFileIsRefusedInASentence(byte[] file, String message) {
        assertThatThrownBy(() -> parse(file).metadata().describe())
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage("f" + message);
    }

    @Test
    void fileCutAnywhereIsRefused() throws Exception {
        byte[] file = valid().build();
        int end = file.length - 16;
        assertThat(parse(Arrays.copyOf(file, end)).tensors()).hasSize(1);
        for (int length = 0; length < end; length++) {
            byte[] cut = Arrays.copyOf(file, length);
            assertThatThrownBy(() -> parse(cut)).as("%d bytes", length).isInstanceOf(CheckpointFormatException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void bothVersionsRead(int version) throws Exception {
        GgufFile file = parse(valid().version(version).build());
        assertThat(file.tensors()).extracting(StoredTensor::shape).containsExactly(Shape.of(4));
    }

    @Test
    void dimensionsAreReversedAndOffsetsAligned() throws Exception {
        GgufFile file = parse(new GgufBytes()
                .alignment(128)
                .tensor("a", F32, new byte[24], 3, 2)
                .tensor("b", F32, GgufBytes.ints(Float.floatToIntBits(7)), 1)
                .build());
        assertThat(file.tensors().getFirst().shape()).isEqualTo(Shape.of(2, 3));
        assertThat(file.tensors().getLast().floats()).containsExactly(7);
    }

    @Test
    void blockSizeOfQ2IsToldByTheRoomUpToTheNextTensor() throws Exception {
        GgufFile file = parse(new GgufBytes()
                .tensor("mainline", Q2_0, new byte[64 * 36], 128, 64)
                .tensor("fork", Q2_0, new byte[64 * 34], 128, 64)
                .tensor("private", Q2_0_G128, new byte[64 * 34], 128, 64)
                .tensor("narrow", Q2_0, new byte[18], 64)
                .build());
        assertThat(file.tensors())
                .extracting(StoredTensor::type)
                .containsExactly(ElementType.Q2_0, ElementType.Q2_0_G128, ElementType.Q2_0_G128, ElementType.Q2_0);
    }

    @Test
    void lastQ2TensorNeedsNoPadding() throws Exception {
        byte[] padded =
                new GgufBytes().tensor("a", Q2_0, new byte[8 * 34], 128, 8).build();
        byte[] file = Arrays.copyOf(padded, padded.length - 16);
        assertThat(parse(file).tensors().getFirst().type()).isEqualTo(ElementType.Q2_0_G128);
    }

    private static GgufBytes valid() {
        return new GgufBytes().string("general.name", "x").tensor("a", F32, new byte[16], 4);
    }

    private static byte[] nested(int depth) {
        return depth == 0 ? concat(ints(0), longs(0)) : concat(ints(ARRAY), longs(1), nested(depth - 1));
    }

    private static GgufFile parse(byte[] file) throws CheckpointFormatException {
        return GgufFile.parse("f", MemorySegment.ofArray(file));
    }
}
