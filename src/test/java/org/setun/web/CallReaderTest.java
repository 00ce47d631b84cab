package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.engine.PromptGroup;
import org.setun.engine.Urgency;
import org.setun.generation.AnswerDetails;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Prompt;
import org.setun.generation.TokenRules;
import org.setun.sampling.SamplingParameters;
import org.setun.tokenizer.ChatMessage;

final class CallReaderTest {

    private final CallReader reader = new CallReader(
            new ServedModel("tiny", Instant.EPOCH, new ServedModel.SamplingDefaults(0.7, 5, 0.9), 0.75, Map.of()));

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "Once"               | Text[text=Once]
            ""                   | Text[text=]
            ["a","b"]            | Text[text=a], Text[text=b]
            [1,2,3]              | Tokens[ids=[1, 2, 3]]
            [[1,2],[3]]          | Tokens[ids=[1, 2]], Tokens[ids=[3]]
            """)
    void aPromptHasOneOfFourForms(String json, String prompts) {
        GenerationCall call = completion("{\"prompt\":%s}".formatted(json));

        assertThat(call.prompts().toString()).isEqualTo("[" + prompts + "]");
    }

    @Test
    void aCallThatSaysNothingElseGetsTheModelsDefaults() {
        GenerationCall call = completion("{\"prompt\":\"x\"}");

        assertThat(call)
                .isEqualTo(new GenerationCall(
                        List.of(new Prompt.Text("x")),
                        Choices.ONE,
                        OptionalInt.empty(),
                        new SamplingParameters(0.7, 5, 0.9, OptionalLong.empty()),
                        TokenRules.NONE,
                        List.of(),
                        0,
                        AnswerDetails.NONE,
                        Urgency.NORMAL,
                        false,
                        false,
                        List.of()));
    }

    @Test
    void everyParameterIsRead() {
        GenerationCall call = completion("""
                {"model":"tiny","prompt":"x","max_tokens":7,"temperature":2,"top_p":0.25,"top_k":3,"seed":-9,"n":2,
                 "stop":["\\n","end"],"stream":true,"stream_options":{"include_usage":true},"user":"me","logprobs":3,"echo":true,"priority":-1,"timeout":2.5,
                 "activation_sparsity":0.75}""");

        assertThat(call)
                .isEqualTo(new GenerationCall(
                        List.of(new Prompt.Text("x")),
                        new Choices(2, 2),
                        OptionalInt.of(7),
                        new SamplingParameters(2, 3, 0.25, OptionalLong.of(-9)),
                        TokenRules.NONE,
                        List.of("\n", "end"),
                        0.75,
                        new AnswerDetails(OptionalInt.of(3), OptionalInt.empty(), true),
                        new Urgency(-1, Optional.of(Duration.ofMillis(2500))),
                        true,
                        true,
                        List.of()));
    }

    @Test
    void theAnswersToAPromptAreOneGroup() {
        List<PromptGroup> groups =
                completion("{\"prompt\":[\"a\",\"b\"],\"n\":2,\"best_of\":3}").generations("r", "").stream()
                        .map(GenerationRequest::group)
                        .toList();

        assertThat(groups).hasSize(6).doesNotContain(PromptGroup.NONE);
        assertThat(groups.subList(0, 3)).containsOnly(groups.getFirst());
        assertThat(groups.subList(3, 6)).containsOnly(groups.getLast()).doesNotContain(groups.getFirst());
        assertThat(completion("{\"prompt\":\"a\"}")
                        .generations("r", "")
                        .getFirst()
                        .group())
                .isEqualTo(PromptGroup.NONE);
    }

    @Test
    void nullIsAsGoodAsAbsent() {
        GenerationCall call = completion("""
                {"model":null,"prompt":"x","max_tokens":null,"temperature":null,"top_p":null,"top_k":null,"seed":null,
                 "n":null,"stop":null,"stream":null,"stream_options":null,"logprobs":null,"suffix":null,
                 "activation_sparsity":null}""");

        assertThat(call).isEqualTo(completion("{\"prompt\":\"x\"}"));
    }

    @Test
    void topKCanBeSwitchedOffInBothDialects() {
        assertThat(completion("{\"prompt\":\"x\",\"top_k\":-1}").sampling().topK())
                .isZero();
        assertThat(completion("{\"prompt\":\"x\",\"top_k\":0}").sampling().topK())
                .isZero();
    }

    @Test
    void aConversationKeepsItsTurns() {
        GenerationCall call = chat("""
                {"messages":[{"role":"developer","content":"Be brief."},
                             {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
                             {"role":"assistant","content":"c"},
                             {"role":"user","content":""}]}""");

        assertThat(call.prompts())
                .containsExactly(new Prompt.Chat(List.of(
                        new ChatMessage("system", "Be brief."),
                        new ChatMessage("user", "a\nb"),
                        new ChatMessage("assistant", "c"),
                        new ChatMessage("user", ""))));
    }

    @ParameterizedTest
    @CsvSource({
        "'\"max_tokens\":3', 3",
        "'\"max_completion_tokens\":4', 4",
        "'\"max_tokens\":3,\"max_completion_tokens\":4', 4"
    })
    void theNewerTokenLimitSupersedesTheOlder(String limits, int expected) {
        GenerationCall call = chat("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],%s}".formatted(limits));

        assertThat(call.maxTokens()).hasValue(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "logprobs":true                       | 0
            "logprobs":true,"top_logprobs":20     | 20
            "logprobs":false                      | -1
            "logprobs":false,"top_logprobs":0     | -1
            """)
    void aChatAsksForLogProbabilitiesWithTwoFields(String fields, int alternatives) {
        GenerationCall call = chat("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],%s}".formatted(fields));

        assertThat(call.details().scores().orElse(-1)).isEqualTo(alternatives);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "logprobs":3                          | logprobs     | invalid_type
            "top_logprobs":1                      | top_logprobs | invalid_value
            "logprobs":true,"top_logprobs":21     | top_logprobs | invalid_value
            """)
    void aChatsWrongWishForLogProbabilitiesIsRefused(String fields, String param, String code) {
        String body = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],%s}".formatted(fields);

        assertRefused(() -> chat(body), param, code);
    }

    @Test
    void unknownFieldsAreNamed() {
        GenerationCall call = completion("{\"foo\":1,\"prompt\":\"x\",\"bar\":{\"baz\":2}}");

        assertThat(call.unknownFields()).containsExactly("foo", "bar");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"n\":1",
                "\"frequency_penalty\":0",
                "\"logit_bias\":{}",
                "\"logprobs\":false",
                "\"tools\":[]",
                "\"tool_choice\":\"auto\"",
                "\"response_format\":{\"type\":\"text\"}",
                "\"parallel_tool_calls\":true",
                "\"modalities\":[\"text\"]",
                "\"metadata\":{\"a\":\"b\"}",
                "\"store\":false",
                "\"grammar\":\"\"",
                "\"skip_special_tokens\":true",
                "\"service_tier\":\"auto\""
            })
    void aFieldThatChangesNothingIsTaken(String field) {
        GenerationCall call = chat("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],%s}".formatted(field));

        assertThat(call.unknownFields()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "tools":[{"type":"function"}]               | tools
            "tool_choice":"required"                    | tool_choice
            "response_format":{"type":"json_object"}    | response_format
            "modalities":["audio"]                      | modalities
            "echo":true                                 | echo
            "guided_json":{"type":"object"}             | guided_json
            "structured_outputs":{"choice":["a"]}       | structured_outputs
            "grammar":"root ::= [a-z]"                  | grammar
            "json_schema":{}                            | json_schema
            "use_beam_search":true                      | use_beam_search
            "skip_special_tokens":false                 | skip_special_tokens
            "add_generation_prompt":false               | add_generation_prompt
            "chat_template":"{{ messages }}"            | chat_template
            "prompt_logprobs":1                         | prompt_logprobs
            """)
    void whatCannotBeDoneIsRefused(String field, String param) {
        String body = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],%s}".formatted(field);

        assertRefused(() -> chat(body), param, "unsupported_parameter");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {}                                                        | prompt              | missing_required_parameter
            {"prompt":null}                                           | prompt              | missing_required_parameter
            {"prompt":3}                                              | prompt              | invalid_type
            {"prompt":{}}                                             | prompt              | invalid_type
            {"prompt":[]}                                             | prompt              | invalid_value
            {"prompt":[[]]}                                           | prompt[0]           | invalid_value
            {"prompt":[true]}                                         | prompt[0]           | invalid_type
            {"prompt":["a",3]}                                        | prompt[1]           | invalid_type
            {"prompt":[1,"a"]}                                        | prompt[1]           | invalid_type
            {"prompt":[1.5]}                                          | prompt[0]           | invalid_type
            {"prompt":[-1]}                                           | prompt[0]           | invalid_value
            {"prompt":[[1],[2,99999999999]]}                          | prompt[1][1]        | invalid_value
            {"prompt":"half \\ud83d"}                                 | prompt              | invalid_value
            {"prompt":"x","model":3}                                  | model               | invalid_type
            {"prompt":"x","max_tokens":-1}                            | max_tokens          | invalid_value
            {"prompt":"x","prompt_logprobs":21}                       | prompt_logprobs     | invalid_value
            {"prompt":"x","prompt_logprobs":1,"stream":true}          | prompt_logprobs     | invalid_value
            {"prompt":"x","suffix":"y"}                               | suffix              | unsupported_parameter
            {"prompt":"x","max_tokens":1.5}                           | max_tokens          | invalid_type
            {"prompt":"x","max_tokens":"3"}                           | max_tokens          | invalid_type
            {"prompt":"x","max_tokens":99999999999999999999}          | max_tokens          | invalid_value
            {"prompt":"x","temperature":-0.1}                         | temperature         | invalid_value
            {"prompt":"x","temperature":2.1}                          | temperature         | invalid_value
            {"prompt":"x","temperature":1e400}                        | temperature         | invalid_value
            {"prompt":"x","temperature":"hot"}                        | temperature         | invalid_type
            {"prompt":"x","top_p":0}                                  | top_p               | invalid_value
            {"prompt":"x","top_p":1.01}                               | top_p               | invalid_value
            {"prompt":"x","top_k":-2}                                 | top_k               | invalid_value
            {"prompt":"x","seed":9223372036854775808}                 | seed                | invalid_value
            {"prompt":"x","seed":0.5}                                 | seed                | invalid_type
            {"prompt":"x","stop":7}                                   | stop                | invalid_type
            {"prompt":"x","stop":""}                                  | stop                | invalid_value
            {"prompt":"x","stop":["a",""]}                            | stop[1]             | invalid_value
            {"prompt":"x","stop":["a",1]}                             | stop[1]             | invalid_type
            {"prompt":"x","stop":["a","b","c","d","e"]}               | stop                | invalid_value
            {"prompt":"x","priority":2147483648}                      | priority            | invalid_value
            {"prompt":"x","timeout":0}                                | timeout             | invalid_value
            {"prompt":"x","timeout":86401}                            | timeout             | invalid_value
            {"prompt":"x","stream":"true"}                            | stream              | invalid_type
            {"prompt":"x","stream_options":{}}                        | stream_options      | invalid_value
            {"prompt":"x","stream":true,"stream_options":[]}          | stream_options      | invalid_type
            {"prompt":"x","stream":true,"stream_options":{"include_usage":1}} | stream_options.include_usage | invalid_type
            {"prompt":"x","activation_sparsity":-0.1}                 | activation_sparsity | invalid_value
            {"prompt":"x","activation_sparsity":0.76}                 | activation_sparsity | invalid_value
            {"prompt":"x","activation_sparsity":1e400}                | activation_sparsity | invalid_value
            {"prompt":"x","activation_sparsity":"0.5"}                | activation_sparsity | invalid_type
            {"prompt":"x","echo":1}                                   | echo                | invalid_type
            {"prompt":"x","n":0}                                      | n                   | invalid_value
            {"prompt":"x","n":1.5}                                    | n                   | invalid_type
            {"prompt":"x","n":129}                                    | n                   | invalid_value
            {"prompt":"x","n":3,"best_of":2}                          | best_of             | invalid_value
            {"prompt":"x","best_of":2,"stream":true}                  | best_of             | invalid_value
            {"prompt":["a","b"],"n":65}                               | n                   | invalid_value
            {"prompt":["a","b"],"n":2,"best_of":65}                   | best_of             | invalid_value
            {"prompt":"x","logprobs":true}                            | logprobs            | invalid_type
            {"prompt":"x","logprobs":-1}                              | logprobs            | invalid_value
            {"prompt":"x","logprobs":21}                              | logprobs            | invalid_value
            """)
    void aWrongCompletionIsRefusedByItsField(String body, String param, String code) {
        assertRefused(() -> completion(body), param, code);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {}                                                                        | messages                    | missing_required_parameter
            {"messages":"hi"}                                                         | messages                    | invalid_type
            {"messages":[]}                                                           | messages                    | invalid_value
            {"messages":["hi"]}                                                       | messages[0]                 | invalid_type
            {"messages":[{"content":"x"}]}                                            | messages[0].role            | missing_required_parameter
            {"messages":[{"role":"tool","content":"x"}]}                              | messages[0].role            | invalid_value
            {"messages":[{"role":"user"}]}                                            | messages[0].content         | missing_required_parameter
            {"messages":[{"role":"user","content":3}]}                                | messages[0].content         | invalid_type
            {"messages":[{"role":"user","content":[{"type":"image_url"}]}]}           | messages[0].content[0].type | unsupported_parameter
            {"messages":[{"role":"user","content":[{"type":"text"}]}]}                | messages[0].content[0].text | missing_required_parameter
            {"messages":[{"role":"user","content":["x"]}]}                            | messages[0].content[0]      | invalid_type
            {"messages":[{"role":"assistant","tool_calls":[{}]}]}                     | messages[0].tool_calls      | unsupported_parameter
            """)
    void aWrongConversationIsRefusedByItsField(String body, String param, String code) {
        assertRefused(() -> chat(body), param, code);
    }

    @Test
    void anErrorSaysWhatWasExpectedAndFound() {
        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> completion("{\"prompt\":\"x\",\"temperature\":3}"))
                .withMessage("temperature: expected a number from 0 to 2, found 3");
        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> completion("{\"prompt\":\"x\",\"max_tokens\":-1}"))
                .withMessage("max_tokens: expected an integer of 0 or more, found -1");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            0.75 | 0.9 | a number from 0 to 0.75, the server's setun.engine.max-activation-sparsity
            0    | 0.1 | 0, as the server's setun.engine.max-activation-sparsity allows no more
            """)
    void moreActivationSparsityThanTheOperatorAllowsIsRefusedWithTheSetting(
            double limit, String asked, String expected) {
        CallReader limited = new CallReader(
                new ServedModel("tiny", Instant.EPOCH, ServedModel.SamplingDefaults.NEUTRAL, limit, Map.of()));
        String field = "\"activation_sparsity\":" + asked + "}";

        for (Executable reading : List.<Executable>of(
                () -> limited.readCompletion(fields("{\"prompt\":\"x\"," + field)),
                () -> limited.readChat(fields("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]," + field)))) {
            assertThatExceptionOfType(ApiException.class)
                    .isThrownBy(reading::execute)
                    .withMessage("activation_sparsity: expected " + expected + ", found " + asked);
        }
        assertThat(limited.readCompletion(fields("{\"prompt\":\"x\",\"activation_sparsity\":0}"))
                        .activationSparsity())
                .isZero();
    }

    @Test
    void bothEndpointsTakeActivationSparsityUpToTheLimit() {
        assertThat(completion("{\"prompt\":\"x\",\"activation_sparsity\":0.5}").activationSparsity())
                .isEqualTo(0.5);
        assertThat(chat("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"activation_sparsity\":0.75}")
                        .activationSparsity())
                .isEqualTo(0.75);
    }

    @Test
    void anotherModelIsNotFound() {
        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> completion("{\"prompt\":\"x\",\"model\":\"gpt-4\"}"))
                .satisfies(e -> {
                    assertThat(e.status().value()).isEqualTo(404);
                    assertThat(e.body().error().code()).isEqualTo("model_not_found");
                    assertThat(e.body().error().param()).isEqualTo("model");
                });
    }

    @Test
    void aRequestHasALimitedNumberOfPrompts() {
        String prompts = "\"a\",".repeat(PromptField.MAX_PROMPTS) + "\"a\"";

        assertRefused(() -> completion("{\"prompt\":[" + prompts + "]}"), "prompt", "invalid_value");
    }

    private GenerationCall completion(String body) {
        return reader.readCompletion(fields(body));
    }

    private GenerationCall chat(String body) {
        return reader.readChat(fields(body));
    }

    private static JsonFields fields(String body) {
        return WireJson.readObject(body.getBytes(StandardCharsets.UTF_8));
    }

    private static void assertRefused(Runnable reading, String param, String code) {
        assertThatExceptionOfType(ApiException.class).isThrownBy(reading::run).satisfies(e -> {
            assertThat(e.status().value()).isEqualTo(400);
            assertThat(e.body().error().type()).isEqualTo("invalid_request_error");
            assertThat(e.body().error().param()).isEqualTo(param);
            assertThat(e.body().error().code()).isEqualTo(code);
            assertThat(e).hasMessageStartingWith(param + ": ");
        });
    }
}
