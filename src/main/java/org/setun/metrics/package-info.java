/**
 * Engine events and gauges to Micrometer.
 */
@NullMarked
package org.setun.metrics;

import org.jspecify.annotations.NullMarked;
