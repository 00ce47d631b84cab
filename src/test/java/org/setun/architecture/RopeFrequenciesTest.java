package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.model.Rope;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class RopeFrequenciesTest {

    /** What the transformers library's float32 computation leaves. */
    private static final double RELATIVE_TOLERANCE = 2e-6;

    @TempDir
    private Path temporary;

    static Stream<Arguments> configurations() {
        return configurations(".*");
    }

    private static Stream<Arguments> configurations(String names) {
        Path file = GoldenData.directory("llama-bitnet-tiny").resolve("rope.json");
        return JsonMapper.shared()
                .readTree(file)
                .valueStream()
                .map(example -> Arguments.of(example.get("name").stringValue(), example))
                .filter(example -> String.valueOf(example.get()[0]).matches(names));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("configurations")
    void areThoseOfTheTransformersLibrary(String name, JsonNode example) throws Exception {
        JsonNode config = example.get("config");
        int headDim = config.get("head_dim").intValue();

        Rope rope = RopeFrequencies.of(read(config.toString()), headDim);

        JsonNode expected = example.get("inverse_frequencies");
        assertThat(rope.inverseFrequencies()).as(name).hasSize(expected.size());
        for (int j = 0; j < expected.size(); j++) {
            assertRelative(rope.inverseFrequencies()[j], expected.get(j).doubleValue());
        }
        assertRelative(rope.magnitude(), example.get("attention_factor").doubleValue());
    }

    /** In GGUF files the factors stand for the scaling. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("llama3Configurations")
    void areThoseOfTheTransformersLibraryWhereFactorsDivideThem(String name, JsonNode example) throws Exception {
        JsonNode config = example.get("config");
        int headDim = config.get("head_dim").intValue();
        RopeSpec rope = read(config.toString());
        float[] factors = LlamaGguf.ropeFreqs((RopeSpec.Scaling.Llama3) rope.scaling(), rope.theta(), headDim);

        Rope divided = RopeFrequencies.of(RopeSpec.of(rope.theta()).dividedBy(list(factors)), headDim);

        for (int j = 0; j < headDim / 2; j++) {
            assertRelative(
                    divided.inverseFrequencies()[j],
                    example.get("inverse_frequencies").get(j).doubleValue());
        }
    }

    static Stream<Arguments> llama3Configurations() {
        return configurations("llama3.*");
    }

    /** As ggml has it, where an angle is first divided and then scaled by what depends on its index alone. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("linearAndYarnConfigurations")
    void factorsDivideFrequenciesThatAreScaledToo(String name, JsonNode example) throws Exception {
        int headDim = example.get("config").get("head_dim").intValue();
        float[] factors = new float[headDim / 2];
        for (int j = 0; j < factors.length; j++) {
            factors[j] = 1 + j * j / 4f;
        }

        Rope rope = RopeFrequencies.of(read(example.get("config").toString()).dividedBy(list(factors)), headDim);

        for (int j = 0; j < factors.length; j++) {
            double scaled = example.get("inverse_frequencies").get(j).doubleValue();
            assertRelative(rope.inverseFrequencies()[j], scaled / factors[j]);
        }
        assertRelative(rope.magnitude(), example.get("attention_factor").doubleValue());
    }

    static Stream<Arguments> linearAndYarnConfigurations() {
        return configurations("(linear|yarn).*");
    }

    private static List<Double> list(float[] factors) {
        return IntStream.range(0, factors.length)
                .mapToObj(j -> (double) factors[j])
                .toList();
    }

    private static void assertRelative(double actual, double expected) {
        assertThat(Math.abs(actual - expected)).isLessThanOrEqualTo(RELATIVE_TOLERANCE * Math.abs(expected));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"rope_scaling":{"rope_type":"dynamic","factor":2}} | rope_scaling.rope_type: expected "default" or "linear" or "llama3" or "yarn", found "dynamic"
            {"rope_parameters":{"type":"longrope"}} | rope_parameters.type: expected "default" or "linear" or "llama3" or "yarn", found "longrope"
            {"rope_scaling":{"type":"linear"}} | rope_scaling.factor: expected a number from 1.0E-6 to 1000000.0, found nothing
            {"rope_scaling":{"type":"linear","factor":0}} | rope_scaling.factor: expected a number from 1.0E-6 to 1000000.0, found 0
            {"rope_scaling":{"type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4}} | rope_scaling.high_freq_factor: expected a number above low_freq_factor, 4.0, found 4
            {"partial_rotary_factor":0.5} | partial_rotary_factor: expected 1, as Setun turns heads as a whole, found 0.5
            {"rope_parameters":{"partial_rotary_factor":0.5}} | rope_parameters.partial_rotary_factor: expected 1, as Setun turns heads as a whole, found 0.5
            {"rope_theta":0.5} | rope_theta: expected a number from 2.0 to 1.0E30, found 0.5
            """)
    void refusesWhatItDoesNotCompute(String config, String message) {
        assertThatThrownBy(() -> read(config))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining(": " + message + ";");
    }

    private RopeSpec read(String text) throws Exception {
        ConfigObject config = ConfigObject.read(Files.writeString(temporary.resolve("config.json"), text));
        int maxPositions = config.optionalInteger("max_position_embeddings", 1, Integer.MAX_VALUE)
                .orElse(2048);
        return RopeReader.read(config, config, maxPositions, OptionalDouble.of(10_000));
    }
}
