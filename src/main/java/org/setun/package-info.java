/**
 * The application: its launcher, its properties, and the composition of all parts. Nobody imports this package.
 */
@NullMarked
package org.setun;

import org.jspecify.annotations.NullMarked;
