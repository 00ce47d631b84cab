package org.setun.web;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * The model as the API shows it.
 *
 * @param name what clients call it
 * @param created when its files were made
 * @param sampling what a request gets that does not say how to sample
 * @param maxActivationSparsity the most activation sparsity that a request may ask for: at least 0, less than 1
 * @param details more about it for {@code GET /v1/models}, such as its architecture; shown as they are, in their order
 */
public record ServedModel(
        String name,
        Instant created,
        SamplingDefaults sampling,
        double maxActivationSparsity,
        Map<String, Object> details) {

    /**
     * What a request gets that does not say how to sample.
     *
     * @param temperature 0 to 2
     * @param topK 0 keeps all tokens
     * @param topP above 0, at most 1
     */
    public record SamplingDefaults(double temperature, int topK, double topP) {

        /** The model's own distribution: what OpenAI's API documents as its defaults. */
        public static final SamplingDefaults NEUTRAL = new SamplingDefaults(1, 0, 1);
    }

    public ServedModel {
        if (name.isBlank()) {
            throw new IllegalArgumentException("the model's name is blank");
        }
        if (!(maxActivationSparsity >= 0 && maxActivationSparsity < 1)) {
            throw new IllegalArgumentException(
                    "maxActivationSparsity: expected at least 0 and less than 1, found " + maxActivationSparsity);
        }
    }

    /**
     * Reads the field {@code model}, which may be absent.
     *
     * @throws ApiException if it names another model
     */
    void check(JsonFields fields) {
        Optional<String> asked = fields.string("model");
        if (asked.isPresent() && !asked.get().equals(name)) {
            throw ApiException.modelNotFound(asked.get(), name);
        }
    }
}
