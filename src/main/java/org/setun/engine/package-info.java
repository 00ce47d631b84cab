/**
 * Continuous batching over token ids: bounded queue, scheduler, state pool, the one step loop and its events.
 */
@NullMarked
package org.setun.engine;

import org.jspecify.annotations.NullMarked;
