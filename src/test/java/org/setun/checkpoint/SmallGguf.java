package org.setun.checkpoint;

/** A valid file with a tensor of every type and a value of every kind, small enough to be damaged many times. */
final class SmallGguf {

    private SmallGguf() {}

    static byte[] bytes() {
        return new GgufBytes()
                .string("general.architecture", "bitnet")
                .alignment(32)
                .u32("bitnet.block_count", 2)
                .f32("bitnet.rope.freq_base", 10_000)
                .key(
                        "nested",
                        9,
                        GgufBytes.concat(
                                GgufBytes.ints(9),
                                GgufBytes.longs(1),
                                GgufBytes.ints(0),
                                GgufBytes.longs(2),
                                new byte[2]))
                .string("tokenizer.ggml.model", "llama")
                .strings("tokenizer.ggml.tokens", "a", "Ġb", "")
                .array("tokenizer.ggml.token_type", 5, 3, GgufBytes.ints(1, 3, 6))
                .array("tokenizer.ggml.scores", 6, 3, GgufBytes.ints(0, 0, 0))
                .strings("tokenizer.ggml.merges", "a b")
                .u32("tokenizer.ggml.bos_token_id", 1)
                .bool("tokenizer.ggml.add_bos_token", true)
                .tensor("norm", 0, new byte[8], 2)
                .tensor("half", 1, new byte[8], 2, 2)
                .tensor("bf16", 30, new byte[4], 2)
                .tensor("q4_0", 2, new byte[18], 32)
                .tensor("q8_0", 8, new byte[34], 32, 1)
                .tensor("q6_K", 14, new byte[210], 256)
                .tensor("tq1_0", 34, new byte[54], 256, 1)
                .tensor("tq2_0", 35, new byte[66], 256, 1)
                .tensor("i2_s", 36, new byte[64], 64, 2)
                .tensor("q2_0", 42, new byte[36], 64, 2)
                .build();
    }
}
