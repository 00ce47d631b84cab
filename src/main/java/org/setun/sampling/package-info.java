/**
 * Logits to a token: temperature, top-k, top-p and seeded randomness.
 */
@NullMarked
package org.setun.sampling;

import org.jspecify.annotations.NullMarked;
