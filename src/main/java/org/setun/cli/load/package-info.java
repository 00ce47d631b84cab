/**
 * An open-loop load generator for servers that speak OpenAI's protocol.
 */
@NullMarked
package org.setun.cli.load;

import org.jspecify.annotations.NullMarked;
