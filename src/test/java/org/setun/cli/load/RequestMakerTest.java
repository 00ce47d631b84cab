package org.setun.cli.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class RequestMakerTest {

    private static RequestMaker maker(Endpoint endpoint, Workload workload, OptionalInt vocabSize, long seed) {
        LoadPlan plan = LoadPlans.of("http://localhost:1", endpoint, workload, 1, seed);
        return new RequestMaker(plan, new ServedModel("tern", vocabSize));
    }

    private static JsonNode body(RequestMaker maker, int index) {
        return JsonMapper.shared().readTree(maker.body(index));
    }

    @Test
    void tokenIdsAreAsManyAsWantedAndInTheVocabulary() {
        Workload workload = new Workload(
                Lengths.parse("uniform:5-9"), Lengths.parse("uniform:20-30"), 0, 1, true, OptionalDouble.of(0.5));
        RequestMaker maker = maker(Endpoint.COMPLETIONS, workload, OptionalInt.of(50), 1);
        Set<Integer> lengths = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            JsonNode body = body(maker, i);
            lengths.add(body.get("prompt").size());
            for (JsonNode id : body.get("prompt")) {
                assertThat(id.intValue()).isBetween(0, 49);
            }
            assertThat(body.get("max_tokens").intValue()).isBetween(20, 30);
        }
        assertThat(lengths).containsExactlyInAnyOrder(5, 6, 7, 8, 9);
        JsonNode body = body(maker, 0);
        assertThat(body.get("model").stringValue()).isEqualTo("tern");
        assertThat(body.get("stream").booleanValue()).isTrue();
        assertThat(body.at("/stream_options/include_usage").booleanValue()).isTrue();
        assertThat(body.get("ignore_eos").booleanValue()).isTrue();
        assertThat(body.get("temperature").doubleValue()).isEqualTo(0.5);
    }

    @Test
    void theSeedAndTheIndexDecide() {
        RequestMaker one = maker(Endpoint.COMPLETIONS, LoadPlans.WORKLOAD, OptionalInt.of(50), 1);
        RequestMaker same = maker(Endpoint.COMPLETIONS, LoadPlans.WORKLOAD, OptionalInt.of(50), 1);
        RequestMaker other = maker(Endpoint.COMPLETIONS, LoadPlans.WORKLOAD, OptionalInt.of(50), 2);
        assertThat(one.body(7)).isEqualTo(same.body(7));
        assertThat(one.body(7)).isNotEqualTo(one.body(8)).isNotEqualTo(other.body(7));
    }

    @Test
    void requestsOfAGroupBeginAlikeAndEndEachInItsOwnWay() {
        Workload workload = new Workload(Lengths.parse("20"), Lengths.parse("5"), 30, 3, false, OptionalDouble.empty());
        RequestMaker maker = maker(Endpoint.COMPLETIONS, workload, OptionalInt.of(100_000), 1);
        Set<String> beginnings = new HashSet<>();
        Set<String> ends = new HashSet<>();
        for (int i = 0; i < 60; i++) {
            List<Integer> ids = new ArrayList<>();
            body(maker, i).get("prompt").forEach(id -> ids.add(id.intValue()));
            assertThat(ids).hasSize(50);
            beginnings.add(ids.subList(0, 30).toString());
            ends.add(ids.subList(30, 50).toString());
        }
        assertThat(beginnings).hasSize(3);
        assertThat(ends).hasSize(60);
        assertThat(body(maker, 0).has("ignore_eos")).isFalse();
        assertThat(body(maker, 0).has("temperature")).isFalse();
    }

    @Test
    void wordsStandWhereTokenIdsCannot() {
        Workload workload = new Workload(Lengths.parse("20"), Lengths.parse("5"), 10, 1, true, OptionalDouble.empty());
        JsonNode chat = body(maker(Endpoint.CHAT, workload, OptionalInt.of(50), 1), 0);
        assertThat(chat.has("prompt")).isFalse();
        assertThat(chat.at("/messages/0/role").stringValue()).isEqualTo("user");
        assertThat(chat.at("/messages/0/content").stringValue().split(" ")).hasSize(30);
        JsonNode text = body(maker(Endpoint.COMPLETIONS, workload, OptionalInt.empty(), 1), 0);
        assertThat(text.get("prompt").stringValue().split(" ")).hasSize(30).allMatch(word -> word.matches("[a-z]+"));
    }
}
