/**
 * A text request to text events: tokenising, detokenising, stop strings, usage.
 */
@NullMarked
package org.setun.generation;

import org.jspecify.annotations.NullMarked;
