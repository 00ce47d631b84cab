package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.setun.checkpoint.SafetensorsBytes.entry;
import static org.setun.checkpoint.SafetensorsBytes.file;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damages a valid file at random: it either still opens, and every tensor lies within it, or is refused in a sentence. */
final class SafetensorsMutationTest {

    // Another seed: ./mvnw test -Dtest=SafetensorsMutationTest -Dsetun.test.seed=N
    private static final long SEED = Long.getLong("setun.test.seed", 1958);
    private static final int PARSED = 20_000;
    private static final int OPENED = 1_000;

    private static final byte[] VALID = file(
            "{\"__metadata__\":{\"format\":\"pt\"}," + entry("model.norm.weight", "F32", "[2]", 0, 8) + ","
                    + entry("lm_head.weight", "BF16", "[2, 3]", 8, 20) + "," + entry("empty", "U8", "[0]", 20, 20) + ","
                    + entry("packed", "U8", "[1,1,5]", 20, 25) + "}  ",
            25);

    private static final List<String> PIECES = List.of(
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "-1",
            "0",
            "1e9",
            "99999999999999999999",
            "9223372036854775807",
            "null",
            "\"dtype\"",
            "\"shape\"",
            "\"F64\"",
            "\\u0000",
            "\\ud800",
            "\u00ff",
            "😀");

    @TempDir
    Path directory;

    @Test
    void damagedBytesParseOrAreRefused() {
        Random random = new Random(SEED);
        int refused = 0;
        for (int i = 0; i < PARSED; i++) {
            byte[] mutated = mutate(random);
            try {
                SafetensorsFile parsed = SafetensorsFile.parse("f", MemorySegment.ofArray(mutated));
                check(parsed.tensors(), mutated.length);
            } catch (CheckpointFormatException e) {
                refused++;
                assertThat(e.getMessage()).startsWith("f: ").contains("; ").doesNotContain("\n");
            } catch (RuntimeException e) {
                throw failure(i, mutated, e);
            }
        }
        assertThat(refused).as("mutations that matter, seed %d", SEED).isBetween(PARSED / 2, PARSED - 1);
    }

    @Test
    void damagedFilesOpenOrAreRefused() throws Exception {
        Random random = new Random(SEED + 1);
        for (int i = 0; i < OPENED; i++) {
            byte[] mutated = mutate(random);
            Path path = SafetensorsBytes.write(directory, "f", mutated);
            try (Checkpoint checkpoint = Checkpoint.open(path)) {
                check(checkpoint.tensors(), mutated.length);
            } catch (CheckpointFormatException e) {
                assertThat(e.getMessage()).startsWith(path + ": ");
            } catch (RuntimeException e) {
                throw failure(i, mutated, e);
            }
        }
    }

    private static void check(Iterable<StoredTensor> tensors, int fileBytes) throws CheckpointFormatException {
        long bytes = 0;
        for (StoredTensor tensor : tensors) {
            bytes += tensor.bytes().byteSize();
            if (tensor.type().isFloatWeight()) {
                assertThat((long) tensor.floats().length)
                        .isEqualTo(tensor.shape().elements());
            }
        }
        assertThat(bytes).isLessThan(fileBytes);
    }

    private static AssertionError failure(int index, byte[] mutated, RuntimeException e) {
        String text = new String(mutated, StandardCharsets.ISO_8859_1);
        return new AssertionError("seed " + SEED + ", mutation " + index + ": " + text, e);
    }

    private static byte[] mutate(Random random) {
        byte[] bytes = VALID.clone();
        int edits = 1 + random.nextInt(3);
        for (int edit = 0; edit < edits && bytes.length > 0; edit++) {
            int at = random.nextInt(bytes.length);
            bytes = switch (random.nextInt(6)) {
                case 0 -> Arrays.copyOf(bytes, at);
                case 1 -> flipBit(bytes, at, random.nextInt(8));
                case 2 -> setByte(bytes, at, (byte) random.nextInt());
                case 3 -> splice(bytes, at, Math.min(bytes.length, at + random.nextInt(8)), new byte[0]);
                case 4 -> {
                    byte[] piece = PIECES.get(random.nextInt(PIECES.size())).getBytes(StandardCharsets.UTF_8);
                    yield splice(bytes, at, Math.min(bytes.length, at + random.nextInt(3)), piece);
                }
                default -> {
                    int from = random.nextInt(bytes.length);
                    int to = Math.min(bytes.length, from + random.nextInt(60));
                    yield splice(bytes, at, at, Arrays.copyOfRange(bytes, from, to));
                }
            };
        }
        // Otherwise nearly every change of length would end at the first check.
        if (bytes.length > Long.BYTES && random.nextInt(4) != 0) {
            int header = Math.clamp(bytes.length - Long.BYTES - 25, 0, Integer.MAX_VALUE);
            return file(header, Arrays.copyOfRange(bytes, Long.BYTES, bytes.length), 0);
        }
        return bytes;
    }

    private static byte[] flipBit(byte[] bytes, int at, int bit) {
        return setByte(bytes, at, (byte) (bytes[at] ^ (1 << bit)));
    }

    private static byte[] setByte(byte[] bytes, int at, byte value) {
        bytes[at] = value;
        return bytes;
    }

    private static byte[] splice(byte[] bytes, int from, int to, byte[] piece) {
        byte[] out = new byte[bytes.length - (to - from) + piece.length];
        System.arraycopy(bytes, 0, out, 0, from);
        System.arraycopy(piece, 0, out, from, piece.length);
        System.arraycopy(bytes, to, out, from + piece.length, bytes.length - to);
        return out;
    }
}
