/**
 * The arithmetic on tensors: the scalar reference, the SIMD versions, their selection, the worker threads.
 */
@NullMarked
package org.setun.kernel;

import org.jspecify.annotations.NullMarked;
