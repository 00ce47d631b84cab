package org.setun.engine;

import java.time.Duration;

/**
 * What one step of the engine did.
 *
 * @param sequences how many sequences advanced
 * @param prefillTokens how many prompt tokens ran
 * @param decodeTokens how many generated tokens ran
 * @param duration how long the forward pass and the sampling took
 */
public record StepReport(int sequences, int prefillTokens, int decodeTokens, Duration duration) {}
