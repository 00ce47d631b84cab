package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionChoice;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.models.Model;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.StreamingResponseHandler;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiLanguageModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingLanguageModel;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.Response;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;

/** Clients that other people wrote understand this server: OpenAI's own for Java, and LangChain4j's. */
@ApiTest
final class OpenAiClientsTest {

    private static final String MODEL = "lab/tiny";

    private final ScriptedGenerator generator;
    private final String baseUrl;

    OpenAiClientsTest(@Autowired ScriptedGenerator generator, @LocalServerPort int port) {
        this.generator = generator;
        this.baseUrl = "http://localhost:" + port + "/v1";
    }

    @BeforeEach
    void answer() {
        generator.answer("Once", " upon", " a time");
    }

    @Test
    void openAisClientCompletes() {
        Completion completion = openAi().completions().create(completionParams());

        CompletionChoice choice = completion.choices().getFirst();
        assertThat(choice.text()).isEqualTo("Once upon a time");
        assertThat(choice.finishReason()).isEqualTo(CompletionChoice.FinishReason.STOP);
        assertThat(completion.usage().orElseThrow().totalTokens()).isEqualTo(12);
        completion.validate();
    }

    @Test
    void openAisClientStreamsACompletion() {
        try (StreamResponse<Completion> stream = openAi().completions().createStreaming(completionParams())) {
            String text = stream.stream()
                    .map(chunk -> chunk.choices().getFirst().text())
                    .collect(Collectors.joining());

            assertThat(text).isEqualTo("Once upon a time");
        }
    }

    @Test
    void openAisClientChats() {
        ChatCompletion completion =
                openAi().chat().completions().create(chatParams().build());

        ChatCompletion.Choice choice = completion.choices().getFirst();
        assertThat(choice.message().content()).hasValue("Once upon a time");
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(completion.usage().orElseThrow().promptTokens()).isEqualTo(9);
        completion.validate();
    }

    @Test
    void openAisClientStreamsAChat() {
        ChatCompletionCreateParams params = chatParams()
                .streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .build();

        try (StreamResponse<ChatCompletionChunk> stream =
                openAi().chat().completions().createStreaming(params)) {
            List<ChatCompletionChunk> chunks = stream.stream().toList();

            assertThat(chunks.stream()
                            .flatMap(chunk -> chunk.choices().stream())
                            .flatMap(choice -> choice.delta().content().stream())
                            .collect(Collectors.joining()))
                    .isEqualTo("Once upon a time");
            assertThat(chunks.getLast().usage().orElseThrow().completionTokens())
                    .isEqualTo(3);
            chunks.forEach(ChatCompletionChunk::validate);
        }
    }

    @Test
    void openAisClientListsModels() {
        Model model = openAi().models().list().data().getFirst();

        assertThat(model.id()).isEqualTo(MODEL);
        model.validate();
    }

    @Test
    void openAisClientUnderstandsErrors() {
        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> openAi().completions()
                        .create(completionParams().toBuilder().model("gpt-4").build()))
                .satisfies(e -> assertThat(e.code()).hasValue("model_not_found"));
        assertThatExceptionOfType(BadRequestException.class)
                .isThrownBy(() -> openAi().completions()
                        .create(completionParams().toBuilder().temperature(3).build()))
                .satisfies(e -> assertThat(e.param()).hasValue("temperature"));
    }

    @Test
    void langChain4jCompletes() {
        OpenAiLanguageModel model = OpenAiLanguageModel.builder()
                .baseUrl(baseUrl)
                .apiKey("none")
                .modelName(MODEL)
                .maxRetries(0)
                .build();

        assertThat(model.generate("Tell").content()).isEqualTo("Once upon a time");
    }

    @Test
    void langChain4jStreamsACompletion() throws Exception {
        OpenAiStreamingLanguageModel model = OpenAiStreamingLanguageModel.builder()
                .baseUrl(baseUrl)
                .apiKey("none")
                .modelName(MODEL)
                .build();
        CompletableFuture<Response<String>> answer = new CompletableFuture<>();

        model.generate("Tell", new StreamingResponseHandler<>() {
            @Override
            public void onNext(String token) {}

            @Override
            public void onComplete(Response<String> response) {
                answer.complete(response);
            }

            @Override
            public void onError(Throwable error) {
                answer.completeExceptionally(error);
            }
        });

        assertThat(answer.get(10, TimeUnit.SECONDS).content()).isEqualTo("Once upon a time");
    }

    @Test
    void langChain4jChats() {
        OpenAiChatModel model = OpenAiChatModel.builder()
                .baseUrl(baseUrl)
                .apiKey("none")
                .modelName(MODEL)
                .maxRetries(0)
                .build();

        ChatResponse response = model.chat(SystemMessage.from("Be brief."), UserMessage.from("Tell"));

        assertThat(response.aiMessage().text()).isEqualTo("Once upon a time");
        assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(response.tokenUsage().totalTokenCount()).isEqualTo(12);
    }

    @Test
    void langChain4jStreamsAChat() throws Exception {
        OpenAiStreamingChatModel model = OpenAiStreamingChatModel.builder()
                .baseUrl(baseUrl)
                .apiKey("none")
                .modelName(MODEL)
                .build();
        CompletableFuture<ChatResponse> answer = new CompletableFuture<>();
        StringBuilder parts = new StringBuilder();

        model.chat("Tell", new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(String part) {
                parts.append(part);
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
                answer.complete(response);
            }

            @Override
            public void onError(Throwable error) {
                answer.completeExceptionally(error);
            }
        });

        assertThat(answer.get(10, TimeUnit.SECONDS).aiMessage().text()).isEqualTo("Once upon a time");
        assertThat(parts).hasToString("Once upon a time");
        assertThat(answer.get().tokenUsage().totalTokenCount()).isEqualTo(12);
    }

    private OpenAIClient openAi() {
        return OpenAIOkHttpClient.builder()
                .baseUrl(baseUrl)
                .apiKey("none")
                .maxRetries(0)
                .build();
    }

    private static CompletionCreateParams completionParams() {
        return CompletionCreateParams.builder()
                .model(MODEL)
                .prompt("Tell")
                .maxTokens(5)
                .build();
    }

    private static ChatCompletionCreateParams.Builder chatParams() {
        return ChatCompletionCreateParams.builder()
                .model(MODEL)
                .addSystemMessage("Be brief.")
                .addUserMessage("Tell")
                .maxCompletionTokens(5);
    }
}
