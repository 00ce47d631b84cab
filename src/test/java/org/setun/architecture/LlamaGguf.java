package org.setun.architecture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.setun.architecture.TestCheckpoint.Tensor;
import org.setun.checkpoint.Checkpoint;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.GgufBytes;
import org.setun.checkpoint.StoredTensor;
import org.setun.checkpoint.TernaryPacking;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A packed Llama checkpoint as the converters of llama.cpp and bitnet.cpp write it to a GGUF file, to be changed and written: the
 * rows of queries and keys permuted, the scaling of rotary positions as factors of the frequencies.
 */
final class LlamaGguf {

    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("model.embed_tokens", "token_embd"),
            Map.entry("model.norm", "output_norm"),
            Map.entry("lm_head", "output"),
            Map.entry("input_layernorm", "attn_norm"),
            Map.entry("self_attn.q_proj", "attn_q"),
            Map.entry("self_attn.k_proj", "attn_k"),
            Map.entry("self_attn.v_proj", "attn_v"),
            Map.entry("self_attn.o_proj", "attn_output"),
            Map.entry("post_attention_layernorm", "ffn_norm"),
            Map.entry("mlp.gate_proj", "ffn_gate"),
            Map.entry("mlp.up_proj", "ffn_up"),
            Map.entry("mlp.down_proj", "ffn_down"));

    private static final Map<ElementType, Integer> TYPE_IDS = Map.of(
            ElementType.F32, 0,
            ElementType.F16, 1,
            ElementType.Q4_0, 2,
            ElementType.Q8_0, 8,
            ElementType.BF16, 30,
            ElementType.TQ1_0, 34,
            ElementType.TQ2_0, 35,
            ElementType.I2_S, 36,
            ElementType.Q2_0, 42,
            ElementType.Q2_0_G128, 42);

    private static final Pattern UPSTREAM_NAME = Pattern.compile("(?:model\\.layers\\.(\\d+)\\.)?(.*)\\.weight");

    /** The factors of the trits of a matrix by its rows, in the order of the model, and its blocks. */
    @FunctionalInterface
    interface Scales {
        float scale(String upstreamName, float stored, int row, int block);
    }

    /** Integers, numbers and strings by their whole key. */
    final Map<String, Object> keys = new LinkedHashMap<>();

    final Map<String, Tensor> tensors = new LinkedHashMap<>();

    private final JsonNode config;
    private final ElementType type;
    private final Scales scales;

    private LlamaGguf(JsonNode config, ElementType type, Scales scales) {
        this.config = config;
        this.type = type;
        this.scales = scales;
    }

    /** Returns a checkpoint with its linears stored as {@code type}. */
    static LlamaGguf of(Path directory, ElementType type) throws CheckpointFormatException, IOException {
        return of(directory, type, (name, stored, row, block) -> stored);
    }

    /** Returns a checkpoint with its linears stored as {@code type}, with other scales. */
    static LlamaGguf of(Path directory, ElementType type, Scales scales) throws CheckpointFormatException, IOException {
        JsonNode config = JsonMapper.shared().readTree(directory.resolve("config.json"));
        LlamaGguf gguf = new LlamaGguf(config, type, scales);
        gguf.putKeys();
        MixerSpec mixer = Recipe.of(ConfigObject.read(directory.resolve("config.json")))
                .spec()
                .layers()
                .getFirst()
                .mixer();
        gguf.putRopeFreqs(((MixerSpec.Attention) mixer).rope());
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            for (StoredTensor tensor : checkpoint.tensors()) {
                if (tensor.type() == ElementType.U8) {
                    gguf.putLinear(checkpoint, tensor);
                } else if (!tensor.name().endsWith("_scale")) {
                    // Vectors are always F32, and the embedding and the head stay as they are.
                    ElementType stored = tensor.shape().rank() == 1 ? ElementType.F32 : tensor.type();
                    byte[] bytes = FloatEncoder.encode(tensor.floats(), stored);
                    gguf.tensors.put(nameOf(tensor.name()), new Tensor(stored, tensor.shape(), bytes));
                }
            }
        }
        return gguf;
    }

    private static String nameOf(String upstream) {
        Matcher parts = UPSTREAM_NAME.matcher(upstream);
        if (!parts.matches() || !NAMES.containsKey(parts.group(2))) {
            throw new IllegalStateException("no name for " + upstream);
        }
        String prefix = parts.group(1) == null ? "" : "blk." + parts.group(1) + ".";
        return prefix + NAMES.get(parts.group(2)) + ".weight";
    }

    private void putKeys() {
        keys.put("general.architecture", "llama");
        keys.put("llama.block_count", integer("num_hidden_layers"));
        keys.put("llama.context_length", integer("max_position_embeddings"));
        keys.put("llama.embedding_length", integer("hidden_size"));
        keys.put("llama.feed_forward_length", integer("intermediate_size"));
        keys.put("llama.attention.head_count", integer("num_attention_heads"));
        keys.put("llama.attention.head_count_kv", integer("num_key_value_heads"));
        keys.put(
                "llama.attention.layer_norm_rms_epsilon",
                config.get("rms_norm_eps").floatValue());
        keys.put("llama.rope.freq_base", config.get("rope_theta").floatValue());
        keys.put("llama.rope.dimension_count", headDim());
        if (config.has("head_dim")) {
            keys.put("llama.attention.key_length", headDim());
            keys.put("llama.attention.value_length", headDim());
        }
        keys.put("llama.vocab_size", integer("vocab_size"));
        keys.put("tokenizer.ggml.bos_token_id", integer("bos_token_id"));
        keys.put("tokenizer.ggml.eos_token_id", integer("eos_token_id"));
    }

    private int headDim() {
        return config.has("head_dim") ? integer("head_dim") : integer("hidden_size") / integer("num_attention_heads");
    }

    private int integer(String key) {
        return config.get(key).intValue();
    }

    private void putRopeFreqs(RopeSpec rope) {
        if (rope.scaling() instanceof RopeSpec.Scaling.Llama3 scaling) {
            putRopeFreqs(ropeFreqs(scaling, rope.theta(), headDim()));
        }
    }

    /** Puts factors of the frequencies. */
    void putRopeFreqs(float... factors) {
        byte[] bytes = FloatEncoder.encode(factors, ElementType.F32);
        tensors.put("rope_freqs.weight", new Tensor(ElementType.F32, Shape.of(factors.length), bytes));
    }

    /** Returns the factors that llama.cpp's converter makes of a scaling. */
    static float[] ropeFreqs(RopeSpec.Scaling.Llama3 scaling, double theta, int headDim) {
        double low = scaling.lowFreqFactor();
        double high = scaling.highFreqFactor();
        double length = scaling.originalLength();
        float[] factors = new float[headDim / 2];
        for (int i = 0; i < factors.length; i++) {
            double waveLength = 2 * Math.PI * Math.pow(theta, 2.0 * i / headDim);
            if (waveLength < length / high) {
                factors[i] = 1;
            } else if (waveLength > length / low) {
                factors[i] = (float) scaling.factor();
            } else {
                double smooth = (length / waveLength - low) / (high - low);
                factors[i] = (float) (1 / ((1 - smooth) / scaling.factor() + smooth));
            }
        }
        return factors;
    }

    private void putLinear(Checkpoint checkpoint, StoredTensor packed) throws CheckpointFormatException {
        String name = packed.name();
        int rows = (int) packed.shape().dimension(0) * TernaryPacking.U2_ROWS.rowsPerPackedRow();
        int columns = (int) packed.shape().dimension(1);
        float scale = checkpoint.require(name + "_scale").floats()[0];
        int blockColumns = switch (type) {
            case TQ1_0, TQ2_0, Q2_0, Q2_0_G128 -> type.blockElements();
            default -> columns;
        };
        byte[] trits = new byte[rows * columns];
        float[] factors = new float[rows * columns / blockColumns];
        List<Integer> order = storedOrder(name, rows);
        for (int stored = 0; stored < rows; stored++) {
            int row = order.get(stored);
            TernaryPacking.U2_ROWS.unpackRow(packed, rows, columns, row, trits, stored * columns);
            int blocks = columns / blockColumns;
            for (int block = 0; block < blocks; block++) {
                factors[stored * blocks + block] = scales.scale(name, scale, row, block);
            }
        }
        byte[] bytes = encode(trits, factors);
        tensors.put(nameOf(name), new Tensor(type, Shape.of(rows, columns), bytes));
    }

    /** Returns the row of the model that lies in each stored row: of a head [2, headDim / 2] the transpose. */
    private List<Integer> storedOrder(String name, int rows) {
        boolean query = name.contains(".q_proj.");
        if (!query && !name.contains(".k_proj.")) {
            return IntStream.range(0, rows).boxed().toList();
        }
        int heads = integer(query ? "num_attention_heads" : "num_key_value_heads");
        int half = rows / heads / 2;
        List<Integer> order = new ArrayList<>();
        for (int head = 0; head < heads; head++) {
            for (int i = 0; i < half; i++) {
                for (int j = 0; j < 2; j++) {
                    order.add((head * 2 + j) * half + i);
                }
            }
        }
        return order;
    }

    /** Encodes trits and the factors of their blocks, of the whole matrix as the first of them where there is one for all. */
    private byte[] encode(byte[] trits, float[] factors) {
        ByteBuffer out =
                ByteBuffer.allocate((int) type.storedBytes(trits.length)).order(ByteOrder.LITTLE_ENDIAN);
        switch (type) {
            case F32, F16, BF16 -> {
                float[] values = new float[trits.length];
                for (int i = 0; i < values.length; i++) {
                    values[i] = trits[i] * factors[0];
                }
                out.put(FloatEncoder.encode(values, type));
            }
            case I2_S -> {
                for (int block = 0; block < trits.length; block += 128) {
                    for (int p = 0; p < 32; p++) {
                        int value = 0;
                        for (int field = 0; field < 4; field++) {
                            value = 4 * value + trits[block + 32 * field + p] + 1;
                        }
                        out.put((byte) value);
                    }
                }
                out.putFloat(factors[0]);
            }
            case Q2_0, Q2_0_G128 -> {
                for (int block = 0; block < factors.length; block++) {
                    out.putShort(Float.floatToFloat16(factors[block]));
                    int first = block * type.blockElements();
                    for (int i = first; i < first + type.blockElements(); i += 4) {
                        out.put(twoBits(trits, i, 1));
                    }
                }
            }
            case TQ2_0 -> {
                for (int block = 0; block < factors.length; block++) {
                    for (int group = 256 * block; group < 256 * (block + 1); group += 128) {
                        for (int m = 0; m < 32; m++) {
                            out.put(twoBits(trits, group + m, 32));
                        }
                    }
                    out.putShort(Float.floatToFloat16(factors[block]));
                }
            }
            case TQ1_0 -> {
                for (int block = 0; block < factors.length; block++) {
                    for (int m = 0; m < 32; m++) {
                        out.put(baseThree(trits, 256 * block + m, 32, 5));
                    }
                    for (int m = 0; m < 16; m++) {
                        out.put(baseThree(trits, 256 * block + 160 + m, 16, 5));
                    }
                    for (int m = 0; m < 4; m++) {
                        out.put(baseThree(trits, 256 * block + 240 + m, 4, 4));
                    }
                    out.putShort(Float.floatToFloat16(factors[block]));
                }
            }
            default -> throw new IllegalStateException("no encoder for " + type);
        }
        return out.array();
    }

    private static byte twoBits(byte[] trits, int first, int step) {
        int value = 0;
        for (int k = 0; k < 4; k++) {
            value |= (trits[first + k * step] + 1) << (2 * k);
        }
        return (byte) value;
    }

    private static byte baseThree(byte[] trits, int first, int step, int digits) {
        int number = 0;
        for (int n = 0; n < 5; n++) {
            number = 3 * number + (n < digits ? trits[first + n * step] + 1 : 0);
        }
        return (byte) Math.ceilDiv(number * 256, 243);
    }

    Path write(Path file) throws IOException {
        GgufBytes bytes = new GgufBytes();
        keys.forEach((key, value) -> {
            switch (value) {
                case String text -> bytes.string(key, text);
                case Integer integer -> bytes.u32(key, integer);
                case Float number -> bytes.f32(key, number);
                default -> throw new IllegalStateException(key + " is " + value);
            }
        });
        tensors.forEach((name, tensor) -> {
            int rank = tensor.shape().rank();
            long[] dimensions = new long[rank];
            for (int i = 0; i < rank; i++) {
                dimensions[i] = tensor.shape().dimension(rank - 1 - i);
            }
            bytes.tensor(name, Objects.requireNonNull(TYPE_IDS.get(tensor.type())), tensor.bytes(), dimensions);
        });
        return Files.write(file, bytes.build());
    }
}
