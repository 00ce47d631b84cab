package org.setun.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.setun.engine.StoredPrefix;

final class PrefixCodecTest {

    private static final ModelIdentity MODEL = ModelIdentity.of(List.of("a", "b"));

    private final PrefixCodec codec = new PrefixCodec(MODEL);

    @Test
    void whatIsWrittenIsRead() throws Exception {
        Random random = new Random(1);
        for (int round = 0; round < 200; round++) {
            StoredPrefix prefix = random(random, 1 + random.nextInt(300), random.nextInt(2000));
            byte[] value = codec.encode(prefix);
            assertThat(value).hasSize((int) PrefixCodec.bytes(prefix.tokens().length, prefix.state().length));
            StoredPrefix read = codec.decode(value);
            assertThat(read.tokens()).isEqualTo(prefix.tokens());
            assertThat(read.state()).isEqualTo(prefix.state());
            assertThat(read.activationSparsity()).isEqualTo(prefix.activationSparsity());
        }
    }

    @Test
    void everyChangedBitIsNoticed() {
        byte[] value = codec.encode(random(new Random(2), 7, 40));
        for (int bit = 0; bit < 8 * value.length; bit++) {
            byte[] damaged = value.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            assertThatThrownBy(() -> codec.decode(damaged)).isInstanceOf(InvalidEntryException.class);
        }
    }

    @Test
    void everyOtherLengthIsNoticed() {
        byte[] value = codec.encode(random(new Random(3), 7, 40));
        for (int length = 0; length < value.length + 20; length++) {
            byte[] other = Arrays.copyOf(value, length);
            if (length != value.length) {
                assertThatThrownBy(() -> codec.decode(other)).isInstanceOf(InvalidEntryException.class);
            }
        }
    }

    @Test
    void randomBytesAreNoStates() {
        Random random = new Random(4);
        for (int round = 0; round < 2000; round++) {
            byte[] bytes = new byte[random.nextInt(200)];
            random.nextBytes(bytes);
            byte[] begun = codec.encode(random(random, 3, 10));
            // With a good beginning, so that the lengths are random, too.
            System.arraycopy(begun, 0, bytes, 0, Math.min(bytes.length, 12 + ModelIdentity.BYTES));
            assertThatThrownBy(() -> codec.decode(bytes)).isInstanceOf(InvalidEntryException.class);
        }
    }

    @Test
    void theStateOfAnotherModelIsRefused() {
        byte[] value = codec.encode(random(new Random(5), 7, 40));
        ModelIdentity other = ModelIdentity.of(List.of("ab", ""));
        assertThatThrownBy(() -> new PrefixCodec(other).decode(value))
                .isInstanceOf(InvalidEntryException.class)
                .hasMessage("model: expected " + other.digest() + ", found " + MODEL.digest());
    }

    private static StoredPrefix random(Random random, int tokens, int bytes) {
        byte[] state = new byte[bytes];
        random.nextBytes(state);
        return new StoredPrefix(random.ints(tokens).toArray(), random.nextDouble(), state);
    }
}
