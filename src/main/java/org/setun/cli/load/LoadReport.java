package org.setun.cli.load;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a run measured, as {@code setun bench --server URL --json} prints it. Latencies count from when a request was to be sent and
 * are those of completed requests alone; token counts and rates, too.
 *
 * @param url where requests were sent
 * @param model the model's name; null if none was sent
 * @param seed of everything that was drawn
 * @param rate how many requests were to be sent a second on average; null for all at once
 * @param concurrency how many were allowed to run at once; null for any number
 * @param promptForm {@code token_ids} or {@code words}
 * @param promptLengths as {@code --prompt-tokens} takes them
 * @param outputLengths as {@code --output-tokens} takes them
 * @param sharedPrefix tokens before that, the same in all requests of a group
 * @param prefixGroups how many groups there were
 * @param durationSeconds from when the first request was to be sent to the end of the last
 * @param sent how many were sent
 * @param completed how many were answered to the end
 * @param rejected how many were answered with status 429
 * @param failed how many were not answered for another reason; with {@code completed} and {@code rejected} it makes {@code sent}
 * @param errors what reasons there were
 * @param mostConcurrent how many ran at once at most
 * @param promptTokens tokens of prompts, by the server's count
 * @param cachedTokens those of them which the server says it had computed before
 * @param outputTokens tokens of answers
 * @param uncounted how many completed requests the server gave no token counts for: their prompts count nothing, and their
 *     answers as many tokens as pieces came
 * @param requestsPerSecond {@code completed} by the duration
 * @param outputTokensPerSecond {@code outputTokens} by the duration
 * @param totalTokensPerSecond both kinds of tokens by the duration
 * @param timeToFirstToken until an answer's first text
 * @param interToken between one text of an answer and the next, of all answers together; fewer and longer than the times between
 *     tokens where a server sends several together, or tokens have no text, such as parts of a character
 * @param timePerOutputToken of each answer of two tokens or more, the time from its first text to its last by the tokens after
 *     the first
 * @param endToEnd until an answer's end
 * @param sendDelay how much later than intended requests were sent, of all requests: by a limit of concurrency, or where this machine is
 *     too slow for the rate
 */
public record LoadReport(
        String url,
        @Nullable String model,
        long seed,
        @JsonProperty("rate_per_s") @Nullable Double rate,
        @Nullable Integer concurrency,
        @JsonProperty("prompt_form") String promptForm,
        @JsonProperty("prompt_lengths") String promptLengths,
        @JsonProperty("output_lengths") String outputLengths,
        @JsonProperty("shared_prefix") int sharedPrefix,
        @JsonProperty("prefix_groups") int prefixGroups,
        @JsonProperty("duration_seconds") double durationSeconds,
        long sent,
        long completed,
        long rejected,
        long failed,
        List<ErrorKind> errors,
        @JsonProperty("most_concurrent") int mostConcurrent,
        @JsonProperty("prompt_tokens") long promptTokens,
        @JsonProperty("cached_tokens") long cachedTokens,
        @JsonProperty("output_tokens") long outputTokens,
        long uncounted,
        @JsonProperty("requests_per_s") double requestsPerSecond,
        @JsonProperty("output_tokens_per_s") double outputTokensPerSecond,
        @JsonProperty("total_tokens_per_s") double totalTokensPerSecond,
        @JsonProperty("ttft_ms") Latency timeToFirstToken,
        @JsonProperty("inter_token_ms") Latency interToken,
        @JsonProperty("time_per_output_token_ms") Latency timePerOutputToken,
        @JsonProperty("end_to_end_ms") Latency endToEnd,
        @JsonProperty("send_delay_ms") Latency sendDelay) {

    public LoadReport {
        errors = List.copyOf(errors);
    }

    /**
     * Requests that failed alike.
     *
     * @param kind {@code connection}, {@code timeout}, {@code status_} and a number, {@code broken_stream},
     *     {@code malformed_stream} or {@code error_event}
     * @param count how many
     * @param first what the first of them met
     */
    public record ErrorKind(String kind, long count, String first) {}
}
