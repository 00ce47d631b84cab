/**
 * One recipe a model family: its config, tensor names and expected shapes, giving a {@link org.setun.model.Model}.
 */
@NullMarked
package org.setun.architecture;

import org.jspecify.annotations.NullMarked;
