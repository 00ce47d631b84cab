package org.setun.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.setun.engine.Activity;
import org.setun.engine.SiteCounts;

/**
 * What the model did, as the API shows it: all together, and by layer and site.
 *
 * @param tokens how many tokens were computed
 * @param activations those of all sites
 * @param weightBytes those of all sites; left out for one request, as the requests of a step share them
 * @param operations those of all sites
 * @param sites in the order of the computation
 * @param experts the layers with retrieved experts
 */
record ActivityBody(
        long tokens,
        Activations activations,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable WeightBytes weightBytes,
        Operations operations,
        List<Site> sites,
        List<Experts> experts) {

    /**
     * Int8 inputs of ternary products.
     *
     * @param zeroFraction null where there are none
     */
    record Activations(long elements, long zeros, @Nullable Double zeroFraction) {}

    /**
     * Bytes of weights, each matrix once a step.
     *
     * @param dense what would have been read with nothing left out
     * @param readFraction what part of it was read; null where there are none
     */
    record WeightBytes(long dense, long read, @Nullable Double readFraction) {}

    /**
     * Operations of products.
     *
     * @param dense multiplications, and as many additions, with floats and nothing left out
     */
    record Operations(long dense, long additions, long multiplications) {}

    /**
     * What was done at one site.
     *
     * @param layer null outside of the layers
     */
    record Site(
            @Nullable Integer layer,
            String site,
            String component,
            Activations activations,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            WeightBytes weightBytes,

            Operations operations) {}

    /**
     * The experts of one layer.
     *
     * @param experts how many there are
     * @param lookups how many were retrieved, one for each token, head and rank
     * @param distinct how many different ones
     */
    record Experts(int layer, int experts, long lookups, long distinct) {}

    /** Returns what was done for all requests. */
    static ActivityBody ofAll(Activity activity) {
        return of(activity, true);
    }

    /** Returns what was done for one request. */
    static ActivityBody ofRequest(Activity activity) {
        return of(activity, false);
    }

    private static ActivityBody of(Activity activity, boolean withBytes) {
        List<SiteCounts> sites = activity.sites();
        return new ActivityBody(
                activity.tokens(),
                activations(sum(sites, SiteCounts::elements), sum(sites, SiteCounts::zeros)),
                withBytes ? weightBytes(sum(sites, SiteCounts::denseBytes), sum(sites, SiteCounts::readBytes)) : null,
                new Operations(
                        sum(sites, SiteCounts::denseOperations),
                        sum(sites, SiteCounts::additions),
                        sum(sites, SiteCounts::multiplications)),
                sites.stream().map(site -> of(site, withBytes)).toList(),
                activity.experts().stream()
                        .map(each -> new Experts(each.layer(), each.count(), each.lookups(), each.distinct()))
                        .toList());
    }

    private static Site of(SiteCounts site, boolean withBytes) {
        return new Site(
                site.layer().isPresent() ? site.layer().getAsInt() : null,
                site.site(),
                site.component(),
                activations(site.elements(), site.zeros()),
                withBytes ? weightBytes(site.denseBytes(), site.readBytes()) : null,
                new Operations(site.denseOperations(), site.additions(), site.multiplications()));
    }

    private static Activations activations(long elements, long zeros) {
        return new Activations(elements, zeros, fraction(zeros, elements));
    }

    private static WeightBytes weightBytes(long dense, long read) {
        return new WeightBytes(dense, read, fraction(read, dense));
    }

    private static @Nullable Double fraction(long part, long of) {
        return of == 0 ? null : (double) part / of;
    }

    private static long sum(List<SiteCounts> sites, ToLongFunction<SiteCounts> count) {
        return sites.stream().mapToLong(count).sum();
    }
}
