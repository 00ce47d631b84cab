package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;
import static org.setun.checkpoint.SafetensorsBytes.entry;
import static org.setun.checkpoint.SafetensorsBytes.file;

import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way in which a safetensors file can be wrong, with the sentence that its owner reads. */
final class MalformedSafetensorsTest {

    private static final String AGAIN = "; the file is damaged, download it again";
    private static final String TRUNCATED = "; the file is truncated, download it again";
    private static final String LENGTH = "; the file is truncated or no safetensors file, download it again";
    private static final String T = entry("t", "F32", "[2]", 0, 8);

    @TempDir
    Path directory;

    static Stream<Arguments> malformed() {
        return Stream.of(length(), json(), fields(), ranges()).flatMap(cases -> cases);
    }

    private static Stream<Arguments> length() {
        byte[] header = "{}".getBytes(StandardCharsets.UTF_8);
        return Stream.of(
                arguments(new byte[0], ": expected a safetensors file of at least 10 bytes, found 0 bytes" + AGAIN),
                arguments(new byte[9], ": expected a safetensors file of at least 10 bytes, found 9 bytes" + AGAIN),
                arguments(file(0, header, 0), ": header length: expected 2 to 2 bytes, found 0" + LENGTH),
                arguments(file(3, header, 0), ": header length: expected 2 to 2 bytes, found 3" + LENGTH),
                arguments(
                        file(-1, header, 100),
                        ": header length: expected 2 to 102 bytes, found 18446744073709551615" + LENGTH),
                arguments(
                        file(Long.MAX_VALUE, header, 0),
                        ": header length: expected 2 to 2 bytes, found 9223372036854775807" + LENGTH));
    }

    private static Stream<Arguments> json() {
        byte[] notUtf8 = "{\"?\":{}}".getBytes(StandardCharsets.UTF_8);
        notUtf8[2] = (byte) 0xff;
        byte[] overlong = "{\"??\":{}}".getBytes(StandardCharsets.UTF_8);
        overlong[2] = (byte) 0xc0;
        overlong[3] = (byte) 0x80;
        return Stream.of(
                arguments(file("[]", 0), ": header: expected '{' as its first byte, found 0x5b" + AGAIN),
                arguments(file(" {}", 0), ": header: expected '{' as its first byte, found 0x20" + AGAIN),
                arguments(file("{}{}", 0), ": header: more text after the JSON object" + AGAIN),
                arguments(file("{}\0\0", 0), ": header: the text is not JSON near character 3" + AGAIN),
                arguments(file("{\"t\":", 0), ": header: the text is not JSON near character 5" + AGAIN),
                arguments(file("{'t':1}", 0), ": header: the text is not JSON near character 2" + AGAIN),
                arguments(file("{\0\"\0", 0), ": header: the text is not JSON near character 2" + AGAIN),
                arguments(file(notUtf8, 0), ": header: the text is not UTF-8" + AGAIN),
                arguments(file(overlong, 0), ": header: the text is not UTF-8" + AGAIN),
                arguments(
                        file("{\"t\":{\"dtype\":" + "[".repeat(100_000), 0),
                        ": tensor t: dtype: expected a string, found an array" + AGAIN),
                arguments(
                        file("{\"t\":{\"x\":" + "[".repeat(100_000), 0),
                        ": header: nesting or length exceeds what such a file needs near character 25" + AGAIN),
                arguments(
                        file("{\"" + "n".repeat(10_000) + "\":{}}", 0),
                        ": header: nesting or length exceeds what such a file needs near character 9999" + AGAIN),
                arguments(
                        file("{" + entry("t", "F32", "[" + "9".repeat(1000) + "]", 0, 8) + "}", 8),
                        ": header: nesting or length exceeds what such a file needs near character 1029" + AGAIN),
                arguments(file("{" + T + "," + T + "}", 8), ": header: t stands there twice" + AGAIN),
                arguments(
                        file("{\"__metadata__\":{},\"__metadata__\":{}}", 0),
                        ": header: __metadata__ stands there twice" + AGAIN),
                arguments(
                        file("{\"__metadata__\":[]}", 0),
                        ": __metadata__: expected a JSON object, found an array" + AGAIN),
                arguments(
                        file("{\"__metadata__\":{\"a\":1}}", 0),
                        ": __metadata__: a: expected a string, found an integer" + AGAIN),
                arguments(
                        file("{\"__metadata__\":" + many(65_537, "\"\"") + "}", 0),
                        ": __metadata__: expected at most 65536 strings, found more" + AGAIN),
                arguments(
                        file(many(262_145, "{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}"), 0),
                        ": header: expected at most 262144 tensors, found more" + AGAIN),
                arguments(
                        file("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0),
                        ": __metadata__: a stands there twice" + AGAIN));
    }

    private static String many(int count, String value) {
        return IntStream.range(0, count)
                .mapToObj(i -> "\"" + i + "\":" + value)
                .collect(Collectors.joining(",", "{", "}"));
    }

    private static Stream<Arguments> fields() {
        return Stream.of(
                arguments(file("{\"t\":null}", 0), ": tensor t: expected a JSON object, found null" + AGAIN),
                arguments(
                        file("{\"t\":{}}", 0),
                        ": tensor t: expected dtype, shape and data_offsets, found no dtype" + AGAIN),
                arguments(
                        file("{\"t\":{\"dtype\":\"U8\",\"data_offsets\":[0,0]}}", 0),
                        ": tensor t: expected dtype, shape and data_offsets, found no shape" + AGAIN),
                arguments(
                        file("{\"t\":{\"dtype\":\"U8\",\"shape\":[0]}}", 0),
                        ": tensor t: expected dtype, shape and data_offsets, found no data_offsets" + AGAIN),
                arguments(
                        file("{\"t\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 0),
                        ": tensor t: dtype stands there twice" + AGAIN),
                arguments(
                        file("{" + entry("t", "Q4", "[2]", 0, 8) + "}", 8),
                        ": tensor t: dtype: expected one of [F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8,"
                                + " BOOL, F8_E4M3, F8_E5M2], found Q4; convert the checkpoint to a supported type"),
                arguments(
                        file("{\"t\":{\"dtype\":7}}", 0),
                        ": tensor t: dtype: expected a string, found an integer" + AGAIN),
                arguments(
                        file("{" + entry("t", "F32", "2", 0, 8) + "}", 8),
                        ": tensor t: shape: expected an array of integers, found an integer" + AGAIN),
                arguments(
                        file("{" + entry("t", "F32", "[-2]", 0, 8) + "}", 8),
                        ": tensor t: shape: expected integers from 0 to 9223372036854775807, found -2" + AGAIN),
                arguments(
                        file("{" + entry("t", "F32", "[2.0]", 0, 8) + "}", 8),
                        ": tensor t: shape: expected integers from 0 to 9223372036854775807, found a fraction" + AGAIN),
                arguments(
                        file("{" + entry("t", "F32", "[\"2\"]", 0, 8) + "}", 8),
                        ": tensor t: shape: expected integers from 0 to 9223372036854775807, found a string" + AGAIN),
                arguments(
                        file("{" + entry("t", "F32", "[9223372036854775808]", 0, 8) + "}", 8),
                        ": tensor t: shape: expected integers from 0 to 9223372036854775807, found 9223372036854775808"
                                + AGAIN),
                arguments(
                        file("{" + entry("t", "F32", "[" + "1,".repeat(64) + "1]", 0, 4) + "}", 4),
                        ": tensor t: shape: expected at most 64 integers, found more" + AGAIN),
                arguments(
                        file("{\"t\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4]}}", 4),
                        ": tensor t: data_offsets: expected 2 integers, found 1" + AGAIN),
                arguments(
                        file("{\"t\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4,4]}}", 4),
                        ": tensor t: data_offsets: expected at most 2 integers, found more" + AGAIN),
                arguments(
                        file("{\"a\\n\\u001b[31m" + "x".repeat(200) + "\":1}", 0),
                        ": tensor a??[31m" + "x".repeat(113) + "…: expected a JSON object, found an integer" + AGAIN));
    }

    private static Stream<Arguments> ranges() {
        String max = Long.toString(Long.MAX_VALUE);
        return Stream.of(
                arguments(
                        file("{" + entry("t", "F32", "[4294967296,4294967296]", 0, 8) + "}", 8),
                        ": tensor t: shape: expected less than 2^63 bytes, found [4294967296, 4294967296] F32" + AGAIN),
                arguments(
                        file("{" + entry("t", "F64", "[" + max + "]", 0, 8) + "}", 8),
                        ": tensor t: shape: expected less than 2^63 bytes, found [" + max + "] F64" + AGAIN),
                arguments(
                        file("{" + entry("t", "F32", "[3]", 0, 8) + "}", 8),
                        ": tensor t: data_offsets: expected 12 bytes for [3] F32, found [0, 8]" + AGAIN),
                arguments(
                        file("{" + entry("t", "F32", "[2]", 8, 0) + "}", 8),
                        ": tensor t: data_offsets: expected 8 bytes for [2] F32, found [8, 0]" + AGAIN),
                arguments(
                        file("{" + entry("t", "U8", "[" + max + "]", 0, Long.MAX_VALUE) + "}", 8),
                        ": tensor t: expected data up to byte 9223372036854775904, found a file of 105 bytes"
                                + TRUNCATED),
                arguments(
                        file("{" + T + "}", 7),
                        ": tensor t: expected data up to byte 70, found a file of 69 bytes" + TRUNCATED),
                arguments(file("{" + T + "}", 9), ": 1 bytes after tensor t belong to no tensor" + AGAIN),
                arguments(file("{}", 5), ": 5 bytes after the header belong to no tensor" + AGAIN),
                arguments(
                        file("{" + entry("t", "F32", "[2]", 1, 9) + "}", 9),
                        ": tensor t: 1 bytes before its data belong to no tensor" + AGAIN),
                arguments(
                        file("{" + T + "," + entry("u", "F32", "[2]", 4, 12) + "}", 12),
                        ": tensor u: its data overlaps that of tensor t" + AGAIN),
                arguments(
                        file("{" + T + "," + entry("u", "F32", "[2]", 0, 8) + "}", 8),
                        ": tensor u: its data overlaps that of tensor t" + AGAIN));
    }

    @ParameterizedTest
    @MethodSource("malformed")
    void malformedFileIsRefusedWithOneSentence(byte[] bytes, String message) throws Exception {
        Path path = SafetensorsBytes.write(directory, "f.safetensors", bytes);
        assertThatThrownBy(() -> Checkpoint.open(path))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessage(path + message);
    }

    @Test
    void fileCutAnywhereIsRefused() throws Exception {
        byte[] whole = file("{\"__metadata__\":{\"a\":\"b\"}," + T + "," + entry("u", "U8", "[3]", 8, 11) + "}", 11);
        try (Checkpoint checkpoint = Checkpoint.open(SafetensorsBytes.write(directory, "whole", whole))) {
            assertThat(checkpoint.tensors()).hasSize(2);
        }
        for (int length = 0; length < whole.length; length++) {
            Path path = SafetensorsBytes.write(directory, "cut", Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> Checkpoint.open(path))
                    .as("cut to %d bytes", length)
                    .isInstanceOf(CheckpointFormatException.class)
                    .hasMessageEndingWith("download it again");
        }
    }

    @Test
    void headerBeyondTheCapIsRefusedBeforeItIsRead() throws Exception {
        Path path = directory.resolve("huge.safetensors");
        try (var out = new RandomAccessFile(path.toFile(), "rw")) {
            out.write(file(100_000_001, "{}".getBytes(StandardCharsets.UTF_8), 0));
            out.setLength(200_000_000);
        }
        assertThatThrownBy(() -> Checkpoint.open(path))
                .hasMessage(path + ": header length: expected 2 to 100000000 bytes, found 100000001" + LENGTH);
    }

    @Test
    void whatTheSafetensorsLibraryAcceptsIsAccepted() throws Exception {
        String header = "{" + entry("b", "U8", "[4]", 8, 12) + "," + T
                + ",\"e\":{\"data_offsets\":[12,12],\"extra\":{\"x\":[1]},\"shape\":[0,7],\"dtype\":\"F64\"}}   ";
        Path path = SafetensorsBytes.write(directory, "f", file(header, 12));
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            assertThat(checkpoint.tensors()).extracting(StoredTensor::name).containsExactly("t", "b", "e");
        }
    }
}
