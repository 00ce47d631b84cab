/**
 * Text to token ids and back, incremental decoding, chat templates.
 */
@NullMarked
package org.setun.tokenizer;

import org.jspecify.annotations.NullMarked;
