/**
 * The commands: serve, pull, convert, inspect, logits, generate, bench.
 */
@NullMarked
package org.setun.cli;

import org.jspecify.annotations.NullMarked;
