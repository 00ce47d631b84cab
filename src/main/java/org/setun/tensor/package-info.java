/**
 * Shapes, element types and immutable typed views of off-heap memory, packed ternary among them.
 */
@NullMarked
package org.setun.tensor;

import org.jspecify.annotations.NullMarked;
