package org.setun.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

final class GgufGoldenTest {

    private static final int LAYERS = 2;

    private static final Map<String, String> LINEARS = Map.of(
            "attn_q", "self_attn.q_proj",
            "attn_k", "self_attn.k_proj",
            "attn_v", "self_attn.v_proj",
            "attn_output", "self_attn.o_proj",
            "ffn_gate", "mlp.gate_proj",
            "ffn_up", "mlp.up_proj",
            "ffn_down", "mlp.down_proj");

    private static final Map<String, String> NORMS = Map.of(
            "attn_norm", "input_layernorm",
            "ffn_norm", "post_attention_layernorm",
            "attn_sub_norm", "self_attn.attn_sub_norm",
            "ffn_sub_norm", "mlp.ffn_sub_norm");

    @ParameterizedTest
    @CsvSource({"i2_s, I2_S", "tq1_0, TQ1_0", "tq2_0, TQ2_0"})
    void modelHasTheTritsAndScalesOfItsSafetensors(String file, ElementType type) throws Exception {
        try (Checkpoint gguf = open(file);
                Checkpoint packed = Checkpoint.open(GoldenFiles.path("bitnet-tiny-packed/model.safetensors"))) {
            for (int layer = 0; layer < LAYERS; layer++) {
                for (Map.Entry<String, String> linear : LINEARS.entrySet()) {
                    StoredTensor tensor = gguf.require("blk." + layer + "." + linear.getKey() + ".weight");
                    assertThat(tensor.type()).isEqualTo(type);
                    assertSameLinear(tensor, packed, "model.layers." + layer + "." + linear.getValue());
                }
                for (Map.Entry<String, String> norm : NORMS.entrySet()) {
                    assertThat(gguf.require("blk." + layer + "." + norm.getKey() + ".weight")
                                    .floats())
                            .isEqualTo(packed.require("model.layers." + layer + "." + norm.getValue() + ".weight")
                                    .floats());
                }
            }
            assertThat(gguf.require("output_norm.weight").floats())
                    .isEqualTo(packed.require("model.norm.weight").floats());
            assertThat(gguf.require("token_embd.weight", Shape.of(512, 256)).floats())
                    .isEqualTo(packed.require("model.embed_tokens.weight").floats());
            gguf.requireAllUsed();
        }
    }

    private static void assertSameLinear(StoredTensor tensor, Checkpoint packed, String name) throws Exception {
        int rows = (int) tensor.shape().dimension(0);
        int columns = (int) tensor.shape().dimension(1);
        StoredTensor expected = packed.requirePacked(name + ".weight", TernaryPacking.U2_ROWS, rows, columns);
        TernaryBlocks ternary = TernaryBlocks.of(tensor, rows, columns);
        assertThat(ternary.uniformScale())
                .as(name)
                .contains(packed.require(name + ".weight_scale", Shape.of(1)).floats()[0]);
        byte[] expectedTrits = new byte[columns];
        byte[] trits = new byte[columns];
        for (int row = 0; row < rows; row++) {
            TernaryPacking.U2_ROWS.unpackRow(expected, rows, columns, row, expectedTrits, 0);
            ternary.readTrits(row, trits, 0);
            assertThat(trits).as("%s, row %d", name, row).isEqualTo(expectedTrits);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"i2_s", "tq1_0", "tq2_0"})
    void keyValuesAreThoseOfTheFile(String file) throws Exception {
        try (GgufCheckpoint gguf = open(file)) {
            GgufMetadata metadata = gguf.keyValues();
            assertThat(metadata.string("general.name")).isEqualTo("tiny ternary");
            String architecture = metadata.string("general.architecture");
            assertThat(metadata.count(architecture + ".embedding_length")).isEqualTo(256);
            assertThat(metadata.findCount(architecture + ".attention.key_length"))
                    .isEmpty();
            assertThat((float) metadata.decimal(architecture + ".attention.layer_norm_rms_epsilon"))
                    .isEqualTo(1e-5f);
            assertThat(metadata.decimal(architecture + ".rope.freq_base")).isEqualTo(500_000);
            assertThat(metadata.bool("tokenizer.ggml.add_bos_token")).isTrue();
            assertThat(gguf.metadata())
                    .containsEntry(architecture + ".block_count", "2")
                    .containsEntry("tokenizer.ggml.tokens", "an array of 512 STRING");
        }
    }

    @Test
    void vocabularyIsThatOfTheFile() throws Exception {
        try (GgufCheckpoint gguf = open("tq2_0")) {
            EmbeddedVocabulary vocabulary = gguf.vocabulary();
            assertThat(vocabulary.model()).isEqualTo("gpt2");
            assertThat(vocabulary.pre()).contains("llama-bpe");
            assertThat(vocabulary.tokens()).hasSize(512).startsWith("!", "\"", "#");
            assertThat(vocabulary.tokenTypes()).hasSize(512).startsWith(1, 1, 1);
            assertThat(vocabulary.scores()).isEmpty();
            assertThat(vocabulary.merges()).hasSize(248).startsWith("Ġ Ġ", "ĠĠ ĠĠ", "Ġ t");
            assertThat(vocabulary.specialIds().bos()).isEqualTo(OptionalInt.of(504));
            assertThat(vocabulary.specialIds().eos()).isEqualTo(OptionalInt.of(505));
            assertThat(vocabulary.specialIds().padding()).isEmpty();
            assertThat(vocabulary.addBos()).contains(true);
            assertThat(vocabulary.addEos()).isEmpty();
            assertThat(vocabulary.chatTemplate())
                    .hasValueSatisfying(text -> assertThat(text).startsWith("{% for message in messages %}"));
        }
    }

    private static GgufCheckpoint open(String file) throws Exception {
        return (GgufCheckpoint) Checkpoint.open(GoldenFiles.path("bitnet-tiny-packed/model-" + file + ".gguf"));
    }
}
