package org.setun.sampling;

/**
 * A chosen token.
 *
 * @param id the token id
 * @param logprob the natural logarithm of its probability under the model, before temperature and cuts
 */
public record SampledToken(int id, float logprob) {}
