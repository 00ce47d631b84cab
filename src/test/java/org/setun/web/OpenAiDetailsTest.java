package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionTokenLogprob;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionChoice;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.engine.FinishReason;
import org.setun.generation.EmbeddingEvent;
import org.setun.generation.TextToken;
import org.setun.generation.Usage;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;

/** Clients that other people wrote understand log probabilities, several answers and embeddings. */
@ApiTest
final class OpenAiDetailsTest {

    private static final String MODEL = "lab/tiny";

    private final ScriptedGenerator generator;
    private final ScriptedEmbedder embedder;
    private final String baseUrl;

    OpenAiDetailsTest(
            @Autowired ScriptedGenerator generator, @Autowired ScriptedEmbedder embedder, @LocalServerPort int port) {
        this.generator = generator;
        this.embedder = embedder;
        this.baseUrl = "http://localhost:" + port + "/v1";
    }

    @BeforeEach
    void answer() {
        TextToken.Candidate other = new TextToken.Candidate(2, List.of(0xe2), -1);
        TextToken token = new TextToken(1, List.of(72, 105), 0, new TextToken.Score(-0.5f, 1, List.of(other)));
        generator.byHand();
        generator.script(running -> {
            running.text("Hi", token);
            running.finish(FinishReason.STOP, 9, 1);
        });
        embedder.script(running ->
                running.events().accept(new EmbeddingEvent.Embedded(new float[] {0.6f, -0.8f}, new Usage(2, 0))));
    }

    @Test
    void openAisClientReadsTheLogProbabilitiesOfCompletions() {
        Completion completion = openAi().completions().create(completion());

        completion.validate();
        assertThat(completion.choices()).hasSize(2);
        CompletionChoice.Logprobs logprobs =
                completion.choices().getLast().logprobs().orElseThrow();
        assertThat(logprobs.tokens()).hasValue(List.of("Hi"));
        assertThat(logprobs.tokenLogprobs()).hasValue(List.of(-0.5));
        assertThat(logprobs.textOffset()).hasValue(List.of(0L));
    }

    @Test
    void openAisClientReadsStreamsOfSeveralAnswers() {
        try (StreamResponse<Completion> stream = openAi().completions().createStreaming(completion())) {
            assertThat(stream.stream()
                            .flatMap(chunk -> chunk.choices().stream())
                            .filter(choice -> choice.logprobs().isPresent())
                            .map(CompletionChoice::index))
                    .containsExactlyInAnyOrder(0L, 1L);
        }
    }

    @Test
    void openAisClientReadsTheLogProbabilitiesOfChats() {
        ChatCompletion completion = openAi().chat()
                .completions()
                .create(ChatCompletionCreateParams.builder()
                        .model(MODEL)
                        .addUserMessage("Tell")
                        .logprobs(true)
                        .topLogprobs(1)
                        .n(2)
                        .build());

        completion.validate();
        assertThat(completion.choices()).hasSize(2);
        ChatCompletionTokenLogprob token = completion
                .choices()
                .getLast()
                .logprobs()
                .orElseThrow()
                .content()
                .orElseThrow()
                .getFirst();
        assertThat(token.token()).isEqualTo("Hi");
        assertThat(token.bytes()).hasValue(List.of(72L, 105L));
        assertThat(token.topLogprobs().getFirst().token()).isEqualTo("\\xe2");
        assertThat(completion
                        .usage()
                        .orElseThrow()
                        .promptTokensDetails()
                        .orElseThrow()
                        .cachedTokens())
                .hasValue(0L);
    }

    @ParameterizedTest
    @ValueSource(strings = {"float", "base64"})
    void openAisClientEmbeds(String format) {
        CreateEmbeddingResponse response = openAi().embeddings()
                .create(EmbeddingCreateParams.builder()
                        .model(MODEL)
                        .inputOfArrayOfStrings(List.of("one", "two"))
                        .encodingFormat(EmbeddingCreateParams.EncodingFormat.of(format))
                        .build());

        response.validate();
        assertThat(response.data()).hasSize(2);
        assertThat(response.data().getLast().embedding()).containsExactly(0.6f, -0.8f);
        assertThat(response.usage().promptTokens()).isEqualTo(4);
    }

    @Test
    void langChain4jEmbeds() {
        OpenAiEmbeddingModel model = OpenAiEmbeddingModel.builder()
                .baseUrl(baseUrl)
                .apiKey("none")
                .modelName(MODEL)
                .maxRetries(0)
                .build();

        assertThat(model.embedAll(List.of(TextSegment.from("one"), TextSegment.from("two")))
                        .content()
                        .getLast()
                        .vector())
                .containsExactly(0.6f, -0.8f);
    }

    private OpenAIClient openAi() {
        return OpenAIOkHttpClient.builder()
                .baseUrl(baseUrl)
                .apiKey("none")
                .maxRetries(0)
                .build();
    }

    private static CompletionCreateParams completion() {
        return CompletionCreateParams.builder()
                .model(MODEL)
                .prompt("Tell")
                .logprobs(1)
                .n(2)
                .build();
    }
}
