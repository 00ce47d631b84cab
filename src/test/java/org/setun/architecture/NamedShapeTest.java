package org.setun.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class NamedShapeTest {

    @TempDir
    private Path temporary;

    /** The configurations are those of the published models, less what has the class's default. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            bitnet-2b4t | {"model_type":"bitnet","max_position_embeddings":4096,"tie_word_embeddings":true,"quantization_config":{"quant_method":"bitnet","linear_class":"autobitlinear","quantization_mode":"offline"}}
            mmfree-370m | {"model_type":"hgrn_bit","hidden_size":1024,"num_hidden_layers":24}
            mmfree-1.3b | {"model_type":"hgrn_bit","hidden_size":2048,"num_hidden_layers":24}
            mmfree-2.7b | {"model_type":"hgrn_bit","hidden_size":2560,"num_hidden_layers":32}
            """)
    void aShapeIsThePublishedModels(String name, String config) throws Exception {
        Path file = temporary.resolve("config.json");
        Files.writeString(file, config);
        ModelSpec published = Recipe.of(ConfigObject.read(file)).spec();
        ModelSpec shape = NamedShape.named(name).orElseThrow().spec();

        assertThat(shape.layers())
                .usingRecursiveComparison()
                .ignoringFields("storage")
                .isEqualTo(published.layers());
        assertThat(shape)
                .usingRecursiveComparison()
                .ignoringFields("layers", "head")
                .isEqualTo(published);
        assertThat(shape.head()).isInstanceOf(published.head().getClass());
        assertThat(shape.parameters()).isEqualTo(published.parameters());
    }

    @ParameterizedTest
    @CsvSource({"bitnet-2b4t,2412820480", "mmfree-370m,374108160", "mmfree-1.3b,1364779008", "mmfree-2.7b,2702357504"})
    void aShapeHasAsManyWeightsAsItsNameSays(String name, long weights) {
        assertThat(NamedShape.named(name).orElseThrow().spec().parameters()).isEqualTo(weights);
    }

    @Test
    void otherNamesAreNone() {
        assertThat(NamedShape.named("mmfree-7b")).isEqualTo(Optional.empty());
        assertThat(NamedShape.names()).containsExactly("bitnet-2b4t", "mmfree-370m", "mmfree-1.3b", "mmfree-2.7b");
    }
}
