package org.setun.web;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.setun.generation.EmbeddingEvent;

/** OpenAI's answer to {@code POST /v1/embeddings}. */
record EmbeddingAnswer(String object, List<Vector> data, String model, EmbeddingUsage usage) {

    /**
     * A vector.
     *
     * @param embedding its numbers, or their bytes in base64
     */
    record Vector(String object, int index, Object embedding) {}

    /** Token counts: nothing is generated. */
    record EmbeddingUsage(int promptTokens, int totalTokens) {}

    /** Returns the answer with {@code embedded} in their order. */
    static Object of(String model, boolean base64, List<EmbeddingEvent.Embedded> embedded) {
        List<Vector> vectors = new ArrayList<>(embedded.size());
        int tokens = 0;
        for (EmbeddingEvent.Embedded each : embedded) {
            Object numbers = base64 ? base64(each.vector()) : each.vector();
            vectors.add(new Vector("embedding", vectors.size(), numbers));
            tokens += each.usage().promptTokens();
        }
        return new EmbeddingAnswer("list", vectors, model, new EmbeddingUsage(tokens, tokens));
    }

    private static String base64(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector);
        return Base64.getEncoder().encodeToString(bytes.array());
    }
}
