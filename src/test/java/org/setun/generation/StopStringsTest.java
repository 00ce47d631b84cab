package org.setun.generation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class StopStringsTest {

    @Test
    void textThatBeginsNoStopStringIsNotHeldBack() {
        StopStrings stops = new StopStrings(List.of("END"));
        assertThat(stops.append("some text")).isEqualTo("some text");
        assertThat(stops.append(" E")).isEqualTo(" ");
        assertThat(stops.append("N")).isEmpty();
        assertThat(stops.append("E")).isEqualTo("EN");
        assertThat(stops.flush()).isEqualTo("E");
        assertThat(stops.found()).isFalse();
    }

    @Test
    void theAnswerEndsBeforeTheStopString() {
        StopStrings stops = new StopStrings(List.of("END"));
        assertThat(stops.append("the E")).isEqualTo("the ");
        assertThat(stops.append("N")).isEmpty();
        assertThat(stops.append("D of it")).isEmpty();
        assertThat(stops.found()).isTrue();
        assertThat(stops.append("more")).isEmpty();
        assertThat(stops.flush()).isEmpty();
    }

    @Test
    void theStopStringThatIsCompleteFirstCounts() {
        StopStrings stops = new StopStrings(List.of("abcd", "bc"));
        assertThat(stops.append("abcd")).isEqualTo("a");
        stops = new StopStrings(List.of("bc", "abc"));
        assertThat(stops.append("xabc")).isEqualTo("x");
    }

    @Test
    void withoutStopStringsTextPassesThrough() {
        StopStrings stops = new StopStrings(List.of());
        assertThat(stops.append("text")).isEqualTo("text");
        assertThat(stops.flush()).isEmpty();
    }

    @Test
    void anyCutIntoPiecesGivesWhatASearchOfTheWholeTextGives() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            String text = randomText(random, random.nextInt(30));
            List<String> stops = new ArrayList<>();
            for (int i = random.nextInt(5); i > 0; i--) {
                stops.add(randomText(random, 1 + random.nextInt(5)));
            }
            StopStrings watch = new StopStrings(stops);
            StringBuilder answer = new StringBuilder();
            int longestHeld = stops.stream().mapToInt(String::length).max().orElse(1) - 1;
            int at = 0;
            while (at < text.length() && !watch.found()) {
                int next = Math.min(text.length(), at + 1 + random.nextInt(6));
                answer.append(watch.append(text.substring(at, next)));
                at = next;
                if (!watch.found()) {
                    assertThat(answer.length()).isGreaterThanOrEqualTo(at - longestHeld);
                }
            }
            answer.append(watch.flush());
            assertThat(answer.toString())
                    .as("seed %d, round %d: %s in \"%s\"", seed, round, stops, text)
                    .isEqualTo(answerBySearch(text, stops));
        }
    }

    /** The specification: reads on character by character until the text ends with a stop string. */
    private static String answerBySearch(String text, List<String> stops) {
        for (int end = 1; end <= text.length(); end++) {
            String read = text.substring(0, end);
            int longest = stops.stream()
                    .filter(read::endsWith)
                    .mapToInt(String::length)
                    .max()
                    .orElse(0);
            if (longest > 0) {
                return read.substring(0, end - longest);
            }
        }
        return text;
    }

    private static String randomText(Random random, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append((char) ('a' + random.nextInt(3)));
        }
        return text.toString();
    }
}
