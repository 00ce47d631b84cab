package org.setun.hub;

import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Says what a response means that brings no file. The hub tells by {@code X-Error-Code} and {@code X-Error-Message}; without
 * them, 401 stands for a missing repository as well as for a private one, so that nobody can probe for names.
 */
final class Refusal {

    // The draft of RateLimit headers that the hub follows: "api";r=0;t=55, with t in seconds.
    private static final Pattern RATE_LIMIT = Pattern.compile(".*;\\s*t=(\\d{1,9})(?:;.*)?");
    private static final Pattern SECONDS = Pattern.compile("\\d{1,9}");
    private static final String DISABLED = "Access to this resource is disabled.";

    private final HubConnection connection;
    private final ModelReference model;

    Refusal(HubConnection connection, ModelReference model) {
        this.connection = connection;
        this.model = model;
    }

    /**
     * Does nothing if {@code response} succeeded, in whole or in part.
     *
     * @param path the file that was asked for; null for the list of files
     * @throws TransientException if the server is busy
     * @throws HubException if it refuses
     */
    void check(HubResponse response, @Nullable String path) throws TransientException, HubException {
        int status = response.status();
        if (status == 200 || status == 206) {
            return;
        }
        if (status == 408 || status == 429 || status >= 500) {
            throw new TransientException(
                    HubClient.origin(response.uri()) + " answered " + status
                            + (status == 429 ? ", too many requests" : ""),
                    retryAfter(response));
        }
        throw new HubException(model.repository() + ": " + explain(response, path) + said(response));
    }

    private String explain(HubResponse response, @Nullable String path) {
        if (!response.fromHub()) {
            return "the storage " + HubClient.origin(response.uri()) + " refused a file of it with status "
                    + response.status() + "; try again later, or tell the hub";
        }
        return switch (response.header("X-Error-Code")) {
            case "RevisionNotFound" ->
                "it has no revision " + HubException.printable(model.revision())
                        + "; name a branch, a tag or a commit that it has";
            case "EntryNotFound" -> vanished(String.valueOf(path));
            case "GatedRepo" -> gated();
            case "RepoNotFound" -> missing(response.status());
            default -> explainStatus(response, path);
        };
    }

    private String explainStatus(HubResponse response, @Nullable String path) {
        if (response.header("X-Error-Message").equals(DISABLED)) {
            return "the hub has disabled it; choose another model";
        }
        return switch (response.status()) {
            case 401 -> missing(response.status());
            case 403 -> forbidden();
            case 404 -> path == null ? missing(response.status()) : vanished(path);
            default ->
                "expected a " + (path == null ? "list of files" : "file") + " from "
                        + HubClient.origin(response.uri()) + ", found status " + response.status()
                        + "; check the endpoint";
        };
    }

    private static String vanished(String path) {
        return "it has no file " + HubException.printable(path) + " any more; pull again";
    }

    private String missing(int status) {
        String begin = "the hub " + HubClient.origin(connection.endpoint()) + " has no such model, or it is private; "
                + "check the name";
        if (connection.token().isEmpty()) {
            return begin + ", and set HF_TOKEN if it is private";
        }
        return begin + ", and whether the access token " + (status == 401 ? "is valid and " : "") + "may read it";
    }

    private String gated() {
        String page = connection.endpoint() + "/" + model.repository();
        return connection.token().isEmpty()
                ? "it is gated; accept its conditions at " + page + " and set HF_TOKEN to an access token of yours"
                : "it is gated and your account has no access yet; accept its conditions at " + page;
    }

    private String forbidden() {
        return connection.token().isEmpty()
                ? "the hub forbids access; set HF_TOKEN to an access token that may read it"
                : "the hub forbids access with this access token; give it the right to read the model";
    }

    private static String said(HubResponse response) {
        String message = response.header("X-Error-Message");
        return message.isBlank() ? "" : " (the hub says: " + HubException.printable(message.strip()) + ")";
    }

    private static @Nullable Duration retryAfter(HubResponse response) {
        String text = response.header("Retry-After").strip();
        if (SECONDS.matcher(text).matches()) {
            return Duration.ofSeconds(Long.parseLong(text));
        }
        if (!text.isEmpty()) {
            try {
                Instant then = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME)
                        .toInstant();
                // The server's own clock, since only the distance counts.
                String date = response.header("Date");
                Instant now = date.isEmpty()
                        ? Instant.now()
                        : ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME)
                                .toInstant();
                return then.isAfter(now) ? Duration.between(now, then) : Duration.ZERO;
            } catch (DateTimeParseException e) {
                return null;
            }
        }
        Matcher limit = RATE_LIMIT.matcher(response.header("RateLimit"));
        return limit.matches() ? Duration.ofSeconds(Long.parseLong(limit.group(1))) : null;
    }
}
