package org.setun.cli;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.setun.cli.load.Arrivals;
import org.setun.cli.load.Endpoint;
import org.setun.cli.load.Lengths;
import org.setun.cli.load.LoadPlan;
import org.setun.cli.load.Workload;
import picocli.CommandLine.Option;

/** The options of {@code bench} that put a server under load. */
final class ServerBenchOptions {

    private static final int DEFAULT_REQUESTS = 100;
    private static final int MOST_REQUESTS = 10_000_000;
    private static final int MOST_CONCURRENCY = 1_000_000;
    private static final int MOST_VOCAB = 1 << 24;
    private static final int MOST_SECONDS = 7 * 24 * 3600;
    private static final double MOST_RATE = 1e6;
    private static final double NANOS = 1e9;
    private static final String AT_ONCE = "inf";

    @Option(
            names = "--server",
            paramLabel = "URL",
            description = "http://HOST:PORT of a server to put under load, instead of a model in this process.")
    private @Nullable String server;

    @Option(
            names = "--rate",
            paramLabel = "R",
            description = "Requests a second on average, at random times; inf sends all at once. Default: 1.")
    private String rate = "1";

    @Option(
            names = "--requests",
            paramLabel = "N",
            description = "Requests to send; default: 100, or as many as there are in --duration.")
    private @Nullable Integer requests;

    @Option(names = "--duration", paramLabel = "S", description = "Seconds in which to send requests, at most.")
    private @Nullable Double duration;

    @Option(
            names = "--prompt-tokens",
            paramLabel = "LENGTH",
            description = "512, uniform:100-900, or lognormal:512,0.6, a mean and the deviation of the logarithm."
                    + " Default: 512.")
    private String promptTokens = "512";

    @Option(
            names = "--output-tokens",
            paramLabel = "LENGTH",
            description = "Tokens of answers, likewise; default: 128.")
    private String outputTokens = "128";

    @Option(
            names = "--shared-prefix",
            paramLabel = "N",
            description = "Tokens before each prompt that other requests have, too; default: 0.")
    private int sharedPrefix;

    @Option(
            names = "--prefix-groups",
            paramLabel = "N",
            description = "Different beginnings that requests share; default: 1.")
    private int prefixGroups = 1;

    @Option(
            names = "--concurrency",
            paramLabel = "N",
            description =
                    "Requests that run at once at most; the others wait, and their time counts. Default: no limit.")
    private @Nullable Integer concurrency;

    @Option(
            names = "--endpoint",
            paramLabel = "NAME",
            description =
                    "completions, with token ids where the vocabulary's size is known, or chat. Default: completions.")
    private Endpoint endpoint = Endpoint.COMPLETIONS;

    @Option(
            names = "--vocab",
            paramLabel = "N",
            description =
                    "Token ids that there are; default: what the server says. Prompts are words where nobody says.")
    private @Nullable Integer vocab;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description = "The key to send; default: the variable SETUN_API_KEY, which other users cannot see.")
    private @Nullable String apiKey;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "How tokens are drawn; default: the server's own choice.")
    private @Nullable Double temperature;

    @Option(
            names = "--respect-eos",
            description = "Let answers end where the model ends them; else ignore_eos is sent.")
    private boolean respectEos;

    @Option(names = "--timeout", paramLabel = "S", description = "Seconds that an answer may take; default: 600.")
    private double timeout = 600;

    @Option(names = "--seed", paramLabel = "N", description = "Of times, lengths and prompts; default: 1.")
    private long seed = 1;

    /** Returns the server as the user named it; null if the bench is not of a server. */
    @Nullable
    String server() {
        return server;
    }

    /**
     * Returns the run that the options ask for.
     *
     * @param url what {@link #server} returns
     * @param model the model's name; null for the server's first
     * @param variable the key that the environment gives; null for none
     * @throws IllegalArgumentException if an option has no possible value, with a message for the user that names it
     */
    LoadPlan plan(String url, @Nullable String model, @Nullable String variable) {
        requireRange("--shared-prefix", 0, Lengths.MOST, sharedPrefix);
        requireRange("--prefix-groups", 1, MOST_REQUESTS, prefixGroups);
        if (temperature != null && !(temperature >= 0 && temperature <= 100)) {
            throw new IllegalArgumentException("--temperature: expected 0 to 100, found " + temperature);
        }
        String key = apiKey == null ? variable : apiKey;
        if (key != null && !key.matches("[\\x21-\\x7e]+")) {
            // Not shown: it may be nearly the right one.
            throw new IllegalArgumentException("--api-key: expected letters, digits and signs, found other characters");
        }
        return new LoadPlan(
                address(url),
                endpoint,
                Optional.ofNullable(key),
                Optional.ofNullable(model),
                count("--vocab", 1, MOST_VOCAB, vocab),
                new Workload(
                        lengths("--prompt-tokens", promptTokens),
                        lengths("--output-tokens", outputTokens),
                        sharedPrefix,
                        prefixGroups,
                        !respectEos,
                        temperature == null ? OptionalDouble.empty() : OptionalDouble.of(temperature)),
                arrivals(),
                count("--concurrency", 1, MOST_CONCURRENCY, concurrency),
                seconds("--timeout", timeout),
                seed);
    }

    private Arrivals arrivals() {
        double perSecond;
        try {
            perSecond = rate.equals(AT_ONCE) ? Double.POSITIVE_INFINITY : Double.parseDouble(rate);
        } catch (NumberFormatException e) {
            perSecond = Double.NaN;
        }
        if (!(perSecond > 0) || (perSecond > MOST_RATE && !rate.equals(AT_ONCE))) {
            throw new IllegalArgumentException(
                    "--rate: expected more than 0 and at most " + (long) MOST_RATE + ", or inf, found " + rate);
        }
        boolean byDuration = duration != null && requests == null;
        if (byDuration && Double.isInfinite(perSecond)) {
            throw new IllegalArgumentException("--rate: expected --requests beside inf, found --duration alone");
        }
        return new Arrivals(
                perSecond,
                byDuration
                        ? OptionalInt.empty()
                        : count("--requests", 1, MOST_REQUESTS, requests == null ? DEFAULT_REQUESTS : requests),
                duration == null ? null : seconds("--duration", duration));
    }

    /** Returns the server's address without what every client's base address ends with. */
    static URI address(String url) {
        try {
            URI uri = new URI(url.strip().replaceAll("/+$", "").replaceAll("/v1$", ""));
            boolean web = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
            if (web
                    && uri.getHost() != null
                    && uri.getRawUserInfo() == null
                    && uri.getRawQuery() == null
                    && uri.getRawFragment() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // Said below, for every kind of wrong address alike.
        }
        throw new IllegalArgumentException("--server: expected an address such as http://localhost:8080, found " + url);
    }

    private static Lengths lengths(String name, String text) {
        try {
            return Lengths.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
        }
    }

    private static OptionalInt count(String name, int least, int most, @Nullable Integer value) {
        if (value == null) {
            return OptionalInt.empty();
        }
        requireRange(name, least, most, value);
        return OptionalInt.of(value);
    }

    private static void requireRange(String name, int least, int most, int value) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + ": expected " + least + " to " + most + ", found " + value);
        }
    }

    private static Duration seconds(String name, double value) {
        if (!(value > 0 && value <= MOST_SECONDS)) {
            throw new IllegalArgumentException(
                    name + ": expected more than 0 and at most " + MOST_SECONDS + " seconds, found " + value);
        }
        return Duration.ofNanos(Math.round(value * NANOS));
    }
}
