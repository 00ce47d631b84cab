package org.setun.model;

/**
 * The memory that a sequence needs between steps.
 *
 * @param recurrentBytes the fixed part: the recurrent state of all layers, whatever the sequence's length
 */
public record StateLayout(long recurrentBytes) {

    public StateLayout {
        if (recurrentBytes < 0) {
            throw new IllegalArgumentException("negative state size " + recurrentBytes);
        }
    }
}
