package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How few states a prompt leaves, and how much of it is read again at most. */
final class KeptPlacesTest {

    @ParameterizedTest
    @ValueSource(ints = {1_000, 10_000, 100_000, 1_000_000})
    void aPromptLeavesFewStatesAndLittleIsReadAgain(int length) {
        Random random = new Random(length);
        KeptPlaces places = new KeptPlaces();
        TreeSet<Integer> left = new TreeSet<>();
        int longestChunk = 2 * KeptPlaces.DISTANCE;
        int end = 0;
        while (end + longestChunk <= length) {
            end += KeptPlaces.DISTANCE + random.nextInt(longestChunk - KeptPlaces.DISTANCE + 1);
            left.add(end);
            for (int surplus : places.add(end)) {
                assertThat(left.remove(surplus)).as("a state at %d", surplus).isTrue();
            }
            int shared = 1 + random.nextInt(end);
            Integer known = left.floor(shared);
            assertThat(shared - (known == null ? 0 : known))
                    .as("read again of %d tokens shared with a prompt of %d", shared, end)
                    .isLessThanOrEqualTo(Math.max(longestChunk, (end - shared) / 4));
        }
        assertThat(left.size()).isLessThanOrEqualTo((int) (8 * Math.log(Math.max(1, length / 1024.0)) + 9));
        assertThat(left.last()).isEqualTo(end);
    }

    @Test
    void whatIsReadAgainIsKeptAnew() {
        KeptPlaces places = new KeptPlaces();
        assertThat(places.add(128)).isEmpty();
        assertThat(places.add(256)).isEmpty();
        places.restart(130);
        assertThat(places.add(200)).isEmpty();
        assertThat(places.add(100_000)).containsExactly(128);
        assertThat(places.add(1_000_000)).containsExactly(200);
        assertThat(places.all()).containsExactly(100_000, 1_000_000);
    }
}
