/**
 * Fetches models from a Hugging Face compatible hub.
 */
@NullMarked
package org.setun.hub;

import org.jspecify.annotations.NullMarked;
