/**
 * Logits to a token: biases and penalties, temperature, cuts, mirostat and seeded randomness; and log probabilities.
 */
@NullMarked
package org.setun.sampling;

import org.jspecify.annotations.NullMarked;
