/**
 * Opens and writes checkpoint files: validated metadata and named tensors, decoded from every encoding.
 */
@NullMarked
package org.setun.checkpoint;

import org.jspecify.annotations.NullMarked;
