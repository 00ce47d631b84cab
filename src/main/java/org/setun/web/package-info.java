/**
 * The OpenAI wire records, WebFlux handlers, server-sent events and error bodies.
 */
@NullMarked
package org.setun.web;

import org.jspecify.annotations.NullMarked;
