package org.setun.engine;

import java.util.Locale;
import java.util.OptionalInt;
import org.setun.model.Measure;
import org.setun.model.PassCounts;

/**
 * What has been counted at one site of the network. {@link Measure} says what each number means.
 *
 * @param layer from 0; empty for what stands outside of the layers
 * @param site the name of the {@link org.setun.model.Site}, in lower case, such as {@code mixer_in}
 * @param component the name of the {@link org.setun.model.Component} that it belongs to, in lower case
 * @param elements activations that ternary products were given
 * @param zeros how many of them were zero
 * @param denseBytes bytes of weights that would have been read with nothing left out
 * @param readBytes bytes of weights that were read
 * @param denseOperations multiplications, and as many additions, with floats and nothing left out
 * @param additions those that were needed
 * @param multiplications those that were left
 */
public record SiteCounts(
        OptionalInt layer,
        String site,
        String component,
        long elements,
        long zeros,
        long denseBytes,
        long readBytes,
        long denseOperations,
        long additions,
        long multiplications) {

    /** Returns what is counted at a place now. */
    static SiteCounts of(PassCounts counts, int place) {
        PassCounts.Place where = counts.places().get(place);
        return new SiteCounts(
                where.layer() == PassCounts.Place.NO_LAYER ? OptionalInt.empty() : OptionalInt.of(where.layer()),
                where.site().name().toLowerCase(Locale.ROOT),
                where.site().component().name().toLowerCase(Locale.ROOT),
                counts.count(place, Measure.ELEMENTS),
                counts.count(place, Measure.ZEROS),
                counts.count(place, Measure.DENSE_BYTES),
                counts.count(place, Measure.READ_BYTES),
                counts.count(place, Measure.DENSE_OPERATIONS),
                counts.count(place, Measure.ADDITIONS),
                counts.count(place, Measure.MULTIPLICATIONS));
    }
}
