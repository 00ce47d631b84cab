package org.setun.engine;

import java.time.Duration;

/**
 * What a request that has ended took. The three durations follow one another; a part that was never reached is zero.
 *
 * @param id the request's name
 * @param tokens how many tokens it had
 * @param waited from submission to a state slot
 * @param prefill from there to the first generated token
 * @param decode from there to the end
 */
public record RequestReport(String id, TokenCounts tokens, Duration waited, Duration prefill, Duration decode) {}
