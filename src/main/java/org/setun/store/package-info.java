/**
 * States of sequences in Redis, so that another process can go on with a conversation.
 */
@NullMarked
package org.setun.store;

import org.jspecify.annotations.NullMarked;
