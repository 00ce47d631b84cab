package org.setun;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the whole server tells of an answer fits together, with the model that ships. */
final class ServedAnswersTest {

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final String PROMPT = "Once upon a time there was a fairy in Zürich — ";

    private static final ConfigurableApplicationContext server =
            SetunApplication.start(new String[] {"--server.port=0"});

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void tokensAreAsProbableWhenScoredAsWhenGenerated() throws Exception {
        JsonNode answer = choice(
                "{\"prompt\":\"%s\",\"max_tokens\":12,\"seed\":3,\"echo\":true,\"logprobs\":2}".formatted(PROMPT));
        String text = answer.get("text").stringValue();
        assertThat(text).startsWith(PROMPT);
        JsonNode generated = answer.get("logprobs");
        assertThat(String.join("", names(generated))).endsWith(text.substring(PROMPT.length()));

        JsonNode scored = choice("{\"prompt\":%s,\"max_tokens\":0,\"echo\":true,\"logprobs\":2}"
                        .formatted(JSON.writeValueAsString(text)))
                .get("logprobs");

        // Where a text is cut into tokens as it was generated, everything is the same, to the bit.
        assertThat(names(scored)).isEqualTo(names(generated));
        assertThat(scored).isEqualTo(generated);
        assertThat(scored.get("token_logprobs").get(0).isNull()).isTrue();
    }

    @Test
    void aStreamHasTheLogProbabilitiesOfAWholeAnswer() throws Exception {
        String body = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":10,\"seed\":5,"
                + "\"logprobs\":true,\"top_logprobs\":3%s}";
        List<JsonNode> streamed = new ArrayList<>();
        post("/v1/chat/completions", body.formatted(",\"stream\":true"))
                .lines()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> JSON.readTree(line.substring("data: ".length())))
                .forEach(chunk -> chunk.at("/choices/0/logprobs/content").forEach(streamed::add));

        List<JsonNode> whole = new ArrayList<>();
        JSON.readTree(post("/v1/chat/completions", body.formatted("")))
                .at("/choices/0/logprobs/content")
                .forEach(whole::add);
        assertThat(streamed).isNotEmpty().isEqualTo(whole);
    }

    @Test
    void theFirstOfSeveralAnswersIsTheOnlyOne() throws Exception {
        String body = "{\"prompt\":\"" + PROMPT + "\",\"max_tokens\":8,\"seed\":3,\"n\":%d}";
        JsonNode several = JSON.readTree(post("/v1/completions", body.formatted(3)));

        assertThat(several.at("/choices/0/text"))
                .isEqualTo(choice(body.formatted(1)).get("text"));
        assertThat(several.at("/choices/1/text")).isNotEqualTo(several.at("/choices/0/text"));
        assertThat(several.at("/usage/completion_tokens").intValue()).isEqualTo(24);
    }

    @Test
    void theBestAnswerIsTheMostProbableOfAll() throws Exception {
        String body = "{\"prompt\":\"" + PROMPT + "\",\"max_tokens\":8,\"seed\":9,\"logprobs\":0%s}";
        JsonNode all = JSON.readTree(post("/v1/completions", body.formatted(",\"n\":4")))
                .get("choices");
        JsonNode best = all.get(0);
        for (JsonNode choice : all) {
            best = mean(choice) > mean(best) ? choice : best;
        }

        assertThat(choice(body.formatted(",\"best_of\":4")).get("text")).isEqualTo(best.get("text"));
    }

    @Test
    void aTextsTokensAreTheText() throws Exception {
        String quoted = JSON.writeValueAsString(PROMPT);
        JsonNode ids =
                JSON.readTree(post("/tokenize", "{\"content\":" + quoted + "}")).get("tokens");

        assertThat(JSON.readTree(post("/detokenize", "{\"tokens\":" + ids + "}"))
                        .get("content")
                        .stringValue())
                .isEqualTo(PROMPT);
        assertThat(JSON.readTree(post("/tokenize", "{\"prompt\":" + quoted + "}"))
                        .get("max_model_len")
                        .intValue())
                .isEqualTo(4096);
    }

    @Test
    void equalTextsHaveEqualVectorsWhateverIsEmbeddedBesideThem() throws Exception {
        JsonNode data = JSON.readTree(post("/v1/embeddings", "{\"input\":[\"a fairy\",\"a dragon\",\"a fairy\"]}"))
                .get("data");

        assertThat(data.get(0).get("embedding"))
                .isEqualTo(data.get(2).get("embedding"))
                .isNotEqualTo(data.get(1).get("embedding"));
        double squares = 0;
        for (JsonNode number : data.get(1).get("embedding")) {
            squares += number.doubleValue() * number.doubleValue();
        }
        assertThat(squares).isCloseTo(1, within(1e-5));
    }

    private static double mean(JsonNode choice) {
        double sum = 0;
        for (JsonNode logProbability : choice.at("/logprobs/token_logprobs")) {
            sum += logProbability.doubleValue();
        }
        return sum / choice.at("/logprobs/token_logprobs").size();
    }

    private static List<String> names(JsonNode logprobs) {
        List<String> names = new ArrayList<>();
        logprobs.get("tokens").forEach(name -> names.add(name.stringValue()));
        return names;
    }

    private static JsonNode choice(String body) throws Exception {
        return JSON.readTree(post("/v1/completions", body)).at("/choices/0");
    }

    private static String post(String path, String body) throws Exception {
        String port = server.getEnvironment().getRequiredProperty("local.server.port");
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return response.body();
    }
}
