package org.setun.web;

import io.github.bucket4j.TimeMeter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * How many requests and tokens each caller may have in a minute. A caller is the holder of an API key; where there are no
 * keys, all clients together are one. Counted in this process only. Thread-safe.
 */
public final class RateLimits {

    private final CallerLimits anonymous;
    private final Map<String, CallerLimits> byKey;

    /**
     * Creates the limits, all of them full.
     *
     * @param keys the callers
     * @param common what a caller may have of whom {@code special} says nothing
     * @param special what others may have, by the names of their keys
     * @param defaultMaxTokens how many tokens a request is answered with that does not say
     * @throws InvalidSettingException if {@code special} names a key that is not there
     */
    public RateLimits(ApiKeys keys, Rates common, Map<String, Rates> special, int defaultMaxTokens) {
        this(keys, common, special, defaultMaxTokens, TimeMeter.SYSTEM_NANOTIME);
    }

    RateLimits(ApiKeys keys, Rates common, Map<String, Rates> special, int defaultMaxTokens, TimeMeter clock) {
        List<String> names = keys.names();
        for (String name : special.keySet()) {
            if (!names.contains(name)) {
                throw new InvalidSettingException("setun.server.key-limits." + name + ": expected the name of a key, "
                        + (names.isEmpty() ? "of which there are none" : "one of " + String.join(", ", names))
                        + ", found '" + name + "'");
            }
        }
        this.anonymous = new CallerLimits("", "all clients together", common, defaultMaxTokens, clock);
        this.byKey = names.stream()
                .collect(Collectors.toUnmodifiableMap(
                        Function.identity(),
                        name -> new CallerLimits(
                                name,
                                "the key '" + name + "'",
                                special.getOrDefault(name, common),
                                defaultMaxTokens,
                                clock)));
    }

    /** Returns the limits of the key of this name; if empty, those of whoever needs no key. */
    CallerLimits of(Optional<String> key) {
        return key.map(byKey::get).orElse(anonymous);
    }
}
