/**
 * A conversation in the terminal: what is typed, what the model is asked, what is shown.
 */
@NullMarked
package org.setun.cli.chat;

import org.jspecify.annotations.NullMarked;
