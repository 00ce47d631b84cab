package org.setun.tensor;

import java.util.List;
import java.util.stream.LongStream;

/**
 * The extents of a tensor, slowest-varying first; a scalar has none.
 *
 * @param dimensions extents, each at least 0
 */
public record Shape(List<Long> dimensions) {

    public Shape {
        dimensions = List.copyOf(dimensions);
        for (long dimension : dimensions) {
            if (dimension < 0) {
                throw new IllegalArgumentException("negative extent in shape " + dimensions);
            }
        }
    }

    /** Returns the shape with the given extents. */
    public static Shape of(long... dimensions) {
        return new Shape(LongStream.of(dimensions).boxed().toList());
    }

    /** Returns the number of dimensions. */
    public int rank() {
        return dimensions.size();
    }

    /** Returns the extent of dimension {@code index}. */
    public long dimension(int index) {
        return dimensions.get(index);
    }

    /**
     * Returns the number of elements.
     *
     * @throws ArithmeticException if it does not fit into a {@code long}
     */
    public long elements() {
        long elements = 1;
        for (long dimension : dimensions) {
            elements = Math.multiplyExact(elements, dimension);
        }
        return elements;
    }

    /** Returns the extents as in {@code [2048, 5632]}. */
    @Override
    public String toString() {
        return dimensions.toString();
    }
}
