package org.setun.cli.chat;

import java.util.List;
import java.util.OptionalLong;
import org.setun.sampling.SamplingParameters;

/**
 * How answers are made; {@code /set} changes it.
 *
 * @param sampling how tokens are chosen; a seed is that of the first answer, and each answer after it adds one, so that a
 *     conversation can be repeated and an answer to the same question can still be another
 * @param maxTokens how many tokens an answer has at most, at least 1
 */
public record ChatSettings(SamplingParameters sampling, int maxTokens) {

    static final List<String> NAMES = List.of("temperature", "top_k", "top_p", "seed", "max_tokens");

    private static final String NO_SEED = "none";

    public ChatSettings {
        if (maxTokens < 1) {
            throw new IllegalArgumentException("max_tokens: expected 1 or more, found " + maxTokens);
        }
    }

    /**
     * Returns these settings with one changed.
     *
     * @throws IllegalArgumentException if there is none of that name, or it cannot have that value; with a message for the user
     */
    ChatSettings with(String name, String value) {
        try {
            return switch (name) {
                case "temperature" ->
                    sampled(Double.parseDouble(value), sampling.topK(), sampling.topP(), sampling.seed());
                case "top_k" ->
                    sampled(sampling.temperature(), Integer.parseInt(value), sampling.topP(), sampling.seed());
                case "top_p" ->
                    sampled(sampling.temperature(), sampling.topK(), Double.parseDouble(value), sampling.seed());
                case "seed" -> sampled(sampling.temperature(), sampling.topK(), sampling.topP(), seed(value));
                case "max_tokens" -> new ChatSettings(sampling, Integer.parseInt(value));
                default ->
                    throw new IllegalArgumentException(
                            "expected one of " + String.join(", ", NAMES) + ", found " + name);
            };
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + ": expected a number, found " + value, e);
        }
    }

    private static OptionalLong seed(String value) {
        return value.equals(NO_SEED) ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(value));
    }

    private ChatSettings sampled(double temperature, int topK, double topP, OptionalLong seed) {
        return new ChatSettings(new SamplingParameters(temperature, topK, topP, seed), maxTokens);
    }

    /** Returns how the tokens of an answer are chosen, before which there were {@code answers}. */
    SamplingParameters sampling(int answers) {
        OptionalLong seed = sampling.seed();
        return seed.isEmpty()
                ? sampling
                : new SamplingParameters(
                        sampling.temperature(),
                        sampling.topK(),
                        sampling.topP(),
                        OptionalLong.of(seed.getAsLong() + answers));
    }

    @Override
    public String toString() {
        return "temperature %s, top_k %d, top_p %s, seed %s, max_tokens %d"
                .formatted(
                        sampling.temperature(),
                        sampling.topK(),
                        sampling.topP(),
                        sampling.seed().isPresent() ? sampling.seed().getAsLong() : NO_SEED,
                        maxTokens);
    }
}
