/**
 * The network: mixers, BitLinear, norms, blocks, per-sequence state and {@code forward}. Knows no file and no tensor name.
 */
@NullMarked
package org.setun.model;

import org.jspecify.annotations.NullMarked;
