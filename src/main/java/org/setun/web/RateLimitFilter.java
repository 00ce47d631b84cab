package org.setun.web;

import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpMethod;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * Counts the requests of each caller that make the server work, which are those with the method POST, refuses those above
 * its rate, and tells it what is left. Tokens are counted where they are known, see {@link TokenReservation}.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE + 3)
final class RateLimitFilter implements WebFilter {

    private static final String LIMITS = RateLimitFilter.class.getName();

    private final RateLimits limits;
    private final RequestObserver observer;
    private final ApiPaths paths;

    RateLimitFilter(RateLimits limits, RequestObserver observer, ApiPaths paths) {
        this.limits = limits;
        this.observer = observer;
        this.paths = paths;
    }

    /** Returns what the caller of {@code exchange} may still ask for. */
    static CallerLimits limits(ServerWebExchange exchange) {
        return exchange.getAttributeOrDefault(LIMITS, CallerLimits.NONE);
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        if (!exchange.getRequest().getMethod().equals(HttpMethod.POST) || !paths.isProtected(exchange)) {
            return chain.filter(exchange);
        }
        CallerLimits caller = limits.of(ApiKeyFilter.caller(exchange));
        exchange.getResponse().beforeCommit(() -> {
            RateHeaders.write(exchange.getResponse().getHeaders(), caller);
            return Mono.empty();
        });
        return Mono.defer(() -> {
                    caller.takeRequest();
                    exchange.getAttributes().put(LIMITS, caller);
                    return chain.filter(exchange);
                })
                .doOnError(RateLimitFilter::isRateLimited, refused -> observer.rateLimited());
    }

    private static boolean isRateLimited(Throwable failure) {
        return failure instanceof ApiException refused
                && refused.body().error().code().equals(ApiException.RATE_LIMITED);
    }
}
