package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.generation.TokenRules;
import org.setun.sampling.Cuts;
import org.setun.sampling.Dry;
import org.setun.sampling.DynamicTemperature;
import org.setun.sampling.Mirostat;
import org.setun.sampling.Penalties;
import org.setun.sampling.SamplingParameters;
import org.setun.sampling.SequenceBreakers;
import org.setun.sampling.TokenBias;
import org.setun.sampling.Xtc;

/** How tokens are to be chosen, as clients write it. */
final class SamplingFieldsTest {

    private final CallReader reader = new CallReader(
            new ServedModel("tiny", Instant.EPOCH, ServedModel.SamplingDefaults.NEUTRAL, 0.75, Map.of()));

    @Test
    void everyNumberIsRead() {
        assertThat(read("""
                "temperature":0.8,"dynatemp_range":0.5,"dynatemp_exponent":2,"top_k":40,"top_p":0.9,"min_p":0.05,
                "typical_p":0.95,"xtc_probability":0.25,"xtc_threshold":0.2,"mirostat":2,"mirostat_tau":4,
                "mirostat_eta":0.3,"repetition_penalty":1.2,"presence_penalty":-2,"frequency_penalty":2,
                "repeat_last_n":30,"dry_multiplier":0.8,"dry_base":1.5,"dry_allowed_length":3,
                "dry_penalty_last_n":500,"seed":7""").sampling())
                .isEqualTo(new SamplingParameters(
                        0.8,
                        new DynamicTemperature(0.5, 2),
                        new Cuts(40, 0.9, 0.05, 0.95),
                        new Xtc(0.25, 0.2),
                        new Mirostat(2, 4, 0.3),
                        new Penalties(1.2, -2, 2, OptionalInt.of(30)),
                        new Dry(0.8, 1.5, 3, 500, SequenceBreakers.NONE),
                        TokenBias.NONE,
                        OptionalLong.of(7)));
    }

    @Test
    void everyRuleForTokensIsRead() {
        assertThat(read("""
                "min_tokens":3,"ignore_eos":true,"stop_token_ids":[4,5,4],"logit_bias":{"6":-100,"7":0.5},
                "bad_words":["damn"," it"],"dry_multiplier":1,"dry_sequence_breakers":["."]""").rules())
                .isEqualTo(new TokenRules(
                        3,
                        true,
                        Set.of(4, 5),
                        Map.of(6, -100f, 7, 0.5f),
                        Map.of(),
                        List.of("damn", " it"),
                        List.of(".")));
    }

    @Test
    void everyPromptsRequestSaysTheSame() {
        GenerationCall call = reader.readCompletion(WireJson.readObject(
                "{\"prompt\":[\"x\",\"y\"],\"min_p\":0.1,\"min_tokens\":2}".getBytes(StandardCharsets.UTF_8)));

        assertThat(call.generations("id", "")).hasSize(2).allSatisfy(request -> {
            assertThat(request.sampling().cuts().minP()).isEqualTo(0.1);
            assertThat(request.rules().minTokens()).isEqualTo(2);
        });
    }

    @Test
    void biasesCanBePairs() {
        TokenRules rules =
                read("\"logit_bias\":[[15043,1.5],[7,false],[\"Hello\",-0.5]]").rules();

        assertThat(rules.bias()).isEqualTo(Map.of(15043, 1.5f, 7, Float.NEGATIVE_INFINITY));
        assertThat(rules.textBias()).isEqualTo(Map.of("Hello", -0.5f));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "all", textBlock = """
            "repetition_penalty":1.1                        | 1.1 | all
            "repeat_penalty":1.1                            | 1.1 | 64
            "repeat_penalty":1.1,"repeat_last_n":9          | 1.1 | 9
            "repeat_penalty":1.1,"repeat_last_n":-1         | 1.1 | 2147483647
            "repetition_penalty":1.1,"repeat_last_n":0      | 1.1 | 0
            "presence_penalty":1                            | 1   | all
            """)
    void llamaServersDialectLooksAtTheLastTokens(String fields, double repetition, Integer lastTokens) {
        Penalties penalties = read(fields).sampling().penalties();

        assertThat(penalties.repetition()).isEqualTo(repetition);
        assertThat(penalties.lastTokens())
                .isEqualTo(lastTokens == null ? OptionalInt.empty() : OptionalInt.of(lastTokens));
    }

    @Test
    void repetitionsEndAtTheUsualBreakersUnlessTheRequestHasItsOwn() {
        assertThat(read("\"dry_multiplier\":0.8").rules().sequenceBreakers()).containsExactly("\n", ":", "\"", "*");
        assertThat(read("\"dry_multiplier\":0.8,\"dry_sequence_breakers\":[]")
                        .rules()
                        .sequenceBreakers())
                .isEmpty();
        assertThat(read("\"dry_multiplier\":0").rules()).isEqualTo(TokenRules.NONE);
        assertThat(read("\"dry_multiplier\":1,\"dry_penalty_last_n\":-1")
                        .sampling()
                        .dry()
                        .lastTokens())
                .isEqualTo(Integer.MAX_VALUE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"frequency_penalty\":0,\"presence_penalty\":0,\"repetition_penalty\":1,\"logit_bias\":{},\"min_p\":0",
                "\"typical_p\":1,\"min_tokens\":0,\"ignore_eos\":false,\"stop_token_ids\":[],\"bad_words\":[],\"mirostat\":0",
                "\"xtc_probability\":0,\"dynatemp_range\":0,\"logit_bias\":null,\"min_p\":null,\"mirostat\":null,\"seed\":null",
            })
    void whatChangesNothingIsAsGoodAsAbsent(String fields) {
        assertThat(read(fields)).isEqualTo(read("\"n\":1"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "min_p":-0.1                             | min_p                    | a number from 0 to 1
            "typical_p":0                            | typical_p                | a number above 0 and at most 1
            "dynatemp_range":11                      | dynatemp_range           | a number from 0 to 10
            "dynatemp_exponent":-1                   | dynatemp_exponent        | a number from 0 to 10
            "xtc_probability":1.1                    | xtc_probability          | a number from 0 to 1
            "xtc_threshold":"x"                      | xtc_threshold            | a number from 0 to 1
            "mirostat":3                             | mirostat                 | an integer from 0 to 2
            "mirostat_tau":-1                        | mirostat_tau             | a number from 0 to 100
            "mirostat_eta":2                         | mirostat_eta             | a number from 0 to 1
            "repetition_penalty":0                   | repetition_penalty       | a number above 0 and at most 10
            "repeat_penalty":11                      | repeat_penalty           | a number above 0 and at most 10
            "repeat_penalty":1,"repetition_penalty":1 | repeat_penalty          | nothing beside repetition_penalty
            "repeat_last_n":-2                       | repeat_last_n            | an integer of -1 or more
            "presence_penalty":2.1                   | presence_penalty         | a number from -2 to 2
            "frequency_penalty":-2.1                 | frequency_penalty        | a number from -2 to 2
            "dry_multiplier":-1                      | dry_multiplier           | a number from 0 to 100
            "dry_base":0.9                           | dry_base                 | a number from 1 to 100
            "dry_allowed_length":0                   | dry_allowed_length       | an integer of 1 or more
            "dry_penalty_last_n":-2                  | dry_penalty_last_n       | an integer of -1 or more
            "dry_sequence_breakers":"x"              | dry_sequence_breakers    | an array
            "dry_sequence_breakers":[""]             | dry_sequence_breakers[0] | a string of 1 to 40 characters
            "bad_words":["a",3]                      | bad_words[1]             | a string
            "min_tokens":-1                          | min_tokens               | an integer of 0 or more
            "ignore_eos":1                           | ignore_eos               | true or false
            "stop_token_ids":5                       | stop_token_ids           | an array
            "stop_token_ids":[5,-1]                  | stop_token_ids[1]        | a token id, which is an integer of 0 or more
            "stop_token_ids":[5,5,"x"]               | stop_token_ids[2]        | a token id, which is an integer of 0 or more
            "logit_bias":5                           | logit_bias               | an object of numbers by token id, or an array of pairs
            "logit_bias":{"x":1}                     | logit_bias               | token ids as names, which are integers of 0 or more
            "logit_bias":{"-5":1}                    | logit_bias               | token ids as names, which are integers of 0 or more
            "logit_bias":{"5":101}                   | logit_bias.5             | a number from -100 to 100, or false
            "logit_bias":{"5":true}                  | logit_bias.5             | a number from -100 to 100, or false
            "logit_bias":[5]                         | logit_bias[0]            | a pair of a token id or a text and a number
            "logit_bias":[[5,1],[5,2]]               | logit_bias[1][0]         | each token once
            "logit_bias":[[5,1e99]]                  | logit_bias[0][1]         | a number from -100 to 100, or false
            """)
    void whatIsOutOfRangeIsRefusedWithTheRange(String fields, String param, String expected) {
        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> read(fields))
                .satisfies(e -> {
                    assertThat(e.status().value()).isEqualTo(400);
                    assertThat(e.body().error().param()).isEqualTo(param);
                    assertThat(e).hasMessageStartingWith(param + ": expected " + expected);
                });
    }

    @Test
    void howMuchARequestMaySayHasLimits() {
        String biases = "[1,0],".repeat(5000);
        String words = "\"w\",".repeat(65);
        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> read("\"logit_bias\":[%s[1,0]]".formatted(biases)))
                .withMessage("logit_bias: expected at most 4096 biases, found 5001");
        assertThatExceptionOfType(ApiException.class)
                .isThrownBy(() -> read("\"bad_words\":[%s\"w\"]".formatted(words)))
                .withMessage("bad_words: expected at most 64 of them, found 66");
    }

    private GenerationCall read(String fields) {
        return reader.readCompletion(
                WireJson.readObject("{\"prompt\":\"x\",%s}".formatted(fields).getBytes(StandardCharsets.UTF_8)));
    }
}
