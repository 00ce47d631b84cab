package org.setun.web;

import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.setun.engine.Urgency;
import org.setun.generation.EmbeddingRequest;
import org.setun.generation.Prompt;

/**
 * A validated body of {@code POST /v1/embeddings}.
 *
 * @param inputs what to embed
 * @param base64 whether vectors are written as bytes, four little-endian ones a number, instead of decimals
 * @param urgency how soon they are wanted
 */
record EmbeddingCall(List<Prompt> inputs, boolean base64, Urgency urgency) {

    EmbeddingCall {
        inputs = List.copyOf(inputs);
    }

    /**
     * Reads the fields of a body.
     *
     * @throws ApiException if they cannot be answered
     */
    static EmbeddingCall read(JsonFields fields, ServedModel model) {
        model.check(fields);
        List<Prompt> inputs = PromptField.read("input", fields.required("input"));
        UnsupportedFields.EMBEDDINGS.check(fields);
        String format = fields.string("encoding_format").orElse("float");
        if (!format.equals("float") && !format.equals("base64")) {
            throw ApiException.invalidValue(
                    "encoding_format", "encoding_format: expected float or base64, found '" + format + "'");
        }
        return new EmbeddingCall(inputs, format.equals("base64"), UrgencyFields.read(fields));
    }

    /** Returns one request an input; {@code caller} asks, empty if that is not known. */
    List<EmbeddingRequest> requests(String caller) {
        String id = "embd-" + UUID.randomUUID().toString().replace("-", "");
        return IntStream.range(0, inputs.size())
                .mapToObj(i -> new EmbeddingRequest(id + "-" + i, inputs.get(i), urgency.of(caller)))
                .toList();
    }
}
