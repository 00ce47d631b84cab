package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Damages a valid file at random: it either still opens, and every tensor lies within it, or is refused in a sentence. */
final class GgufMutationTest {

    // Another seed: ./mvnw test -Dtest=GgufMutationTest -Dsetun.test.seed=N
    private static final long SEED = Long.getLong("setun.test.seed", 1958);
    private static final int MUTATIONS = 10_000;

    private static final byte[] VALID = SmallGguf.bytes();

    private static final long[] NUMBERS = {0, 1, 2, 7, 9, 33, 256, 1 << 20, 1L << 31, 1L << 40, Long.MAX_VALUE, -1, -32
    };

    @Test
    void damagedBytesReadOrAreRefused() {
        Random random = new Random(SEED);
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] mutated = mutate(random);
            try {
                if (ReadableTensors.attempt(() -> readAll(mutated))) {
                    refused++;
                }
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(
                        "seed " + SEED + ", mutation " + i + ": "
                                + HexFormat.of().formatHex(mutated),
                        e);
            }
        }
        assertThat(refused).as("mutations that matter, seed %d", SEED).isBetween(MUTATIONS / 4, MUTATIONS - 1);
    }

    /** Reads everything in {@code file} that there is a reader for. */
    static void readAll(byte[] file) throws CheckpointFormatException {
        GgufFile parsed = GgufFile.parse("f", MemorySegment.ofArray(file));
        ReadableTensors.check(parsed.tensors(), file.length);
        ReadableTensors.attempt(() -> EmbeddedVocabulary.read(parsed.metadata()));
        parsed.metadata().describe();
    }

    private static byte[] mutate(Random random) {
        byte[] bytes = VALID.clone();
        int edits = 1 + random.nextInt(3);
        for (int edit = 0; edit < edits && bytes.length > 0; edit++) {
            int at = random.nextInt(bytes.length);
            int to = Math.min(bytes.length, at + random.nextInt(9));
            bytes = switch (random.nextInt(5)) {
                case 0 -> random.nextInt(4) == 0 ? Arrays.copyOf(bytes, at) : bytes;
                case 1 -> splice(bytes, at, at + 1, new byte[] {(byte) (bytes[at] ^ (1 << random.nextInt(8)))});
                case 2 -> splice(bytes, at, to, new byte[0]);
                case 3 -> {
                    byte[] number = GgufBytes.longs(NUMBERS[random.nextInt(NUMBERS.length)]);
                    int length = Math.min(random.nextBoolean() ? Integer.BYTES : Long.BYTES, bytes.length - at);
                    yield splice(bytes, at, at + length, Arrays.copyOf(number, length));
                }
                default -> splice(bytes, at, at, Arrays.copyOfRange(bytes, at, to));
            };
        }
        return bytes;
    }

    private static byte[] splice(byte[] bytes, int from, int to, byte[] piece) {
        return GgufBytes.concat(Arrays.copyOf(bytes, from), piece, Arrays.copyOfRange(bytes, to, bytes.length));
    }
}
