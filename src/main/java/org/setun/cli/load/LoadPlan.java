package org.setun.cli.load;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a run sends, when, and where to.
 *
 * @param server the server's address, without {@code /v1} and without a slash at its end
 * @param endpoint which of its endpoints
 * @param apiKey what to send as the bearer's token
 * @param model the model's name; empty for the first one that the server lists
 * @param vocabSize how many token ids there are, so that prompts can be made of them; empty to ask the server, and to make
 *     prompts of words if it does not tell
 * @param workload what requests ask for
 * @param arrivals when they are sent
 * @param concurrency how many may run at once; empty for any number
 * @param timeout how long the server may take to answer one
 * @param seed of everything that is drawn
 */
public record LoadPlan(
        URI server,
        Endpoint endpoint,
        Optional<String> apiKey,
        Optional<String> model,
        OptionalInt vocabSize,
        Workload workload,
        Arrivals arrivals,
        OptionalInt concurrency,
        Duration timeout,
        long seed) {}
