/**
 * The commands: serve, pull, convert, inspect, logits, generate, chat, perplexity, bench, aot-cache.
 */
@NullMarked
package org.setun.cli;

import org.jspecify.annotations.NullMarked;
