package org.setun.hub;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/**
 * Sends GET requests to a hub and follows its redirects. The access token goes to the hub's own origin only: the storage
 * that large files are redirected to is another company's, and gets a signed address instead.
 */
final class HubClient implements AutoCloseable {

    private static final int MOST_REDIRECTS = 10;
    private static final int LONGEST_REDIRECT_BODY = 1 << 16;
    private static final String USER_AGENT = "setun";

    private final HubConnection connection;
    private final Duration patience;
    private final HttpClient client;

    /**
     * Creates a client; the caller closes it.
     *
     * @param patience how long the other side may be silent
     */
    HubClient(HubConnection connection, Duration patience) {
        this.connection = connection;
        this.patience = patience;
        // Version 1.1: one file at a time gains nothing from HTTP/2, whose small windows slow down a distant server.
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(patience)
                .proxy(connection.proxies())
                .build();
    }

    HubConnection connection() {
        return connection;
    }

    /**
     * Sends a request.
     *
     * @param uri an address at the hub
     * @param from the first byte that is wanted
     * @throws TransientException if there was no answer
     * @throws HubException if asking again cannot help
     */
    HubResponse get(URI uri, long from) throws TransientException, HubException, InterruptedException {
        URI current = uri;
        boolean authorized = true;
        for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
            boolean atHub = sameOrigin(current, connection.endpoint());
            // Once away from the hub, the token stays away: a redirect back is not the hub's own doing.
            authorized &= atHub;
            HubResponse response = send(current, from, authorized, atHub);
            if (!isRedirect(response.status())) {
                return response;
            }
            current = target(current, response.header("Location"));
            discard(response);
        }
        throw HubException.mismatch(
                origin(uri), "at most " + MOST_REDIRECTS + " redirects", "more", "check the endpoint");
    }

    /** Takes the body of a redirect, which says nothing, so that the connection can serve the next request. */
    private static void discard(HubResponse response) throws InterruptedException {
        try (response) {
            response.bytes(LONGEST_REDIRECT_BODY);
        } catch (IOException e) {
            // Closing the response ends the connection instead.
        }
    }

    private HubResponse send(URI uri, long from, boolean authorized, boolean atHub)
            throws TransientException, HubException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).header("User-Agent", USER_AGENT);
        request.header("Accept-Encoding", "identity");
        if (from > 0) {
            request.header("Range", "bytes=" + from + "-");
        }
        if (authorized) {
            connection.token().ifPresent(token -> request.header("Authorization", token.authorization()));
        }
        // The request's own timeout would from JDK 26 on end a long body too (JDK-8208693).
        CompletableFuture<HttpResponse<Flow.Publisher<List<ByteBuffer>>>> answer =
                client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofPublisher());
        try {
            HttpResponse<Flow.Publisher<List<ByteBuffer>>> response =
                    answer.get(patience.toNanos(), TimeUnit.NANOSECONDS);
            BodyStream body = new BodyStream(patience);
            response.body().subscribe(body);
            return new HubResponse(uri, atHub, response.statusCode(), response.headers(), body);
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw new TransientException(origin(uri) + " did not answer for " + patience.toSeconds() + " s", e);
        } catch (InterruptedException e) {
            answer.cancel(true);
            throw e;
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            if (cause instanceof SSLException) {
                throw new HubException(
                        origin(uri) + ": no safe connection: " + cause.getMessage()
                                + "; check the address, the clock and the certificates of this machine",
                        cause);
            }
            throw new TransientException("no connection to " + origin(uri) + " (" + reason(cause) + ")", cause);
        }
    }

    private static String reason(Throwable cause) {
        Throwable root = cause;
        while (root.getMessage() == null && root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }

    private static boolean isRedirect(int status) {
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    }

    private static URI target(URI from, String location) throws HubException {
        try {
            URI target = from.resolve(location);
            boolean safe = "https".equalsIgnoreCase(target.getScheme())
                    || ("http".equalsIgnoreCase(target.getScheme()) && "http".equalsIgnoreCase(from.getScheme()));
            if (safe && target.getHost() != null && !location.isEmpty()) {
                return target;
            }
        } catch (IllegalArgumentException e) {
            // Said below, without the address, which may be signed.
        }
        throw HubException.mismatch(
                origin(from), "a redirect to an https address", "another one", "check the endpoint and the proxy");
    }

    static boolean sameOrigin(URI first, URI second) {
        return origin(first).equals(origin(second));
    }

    /** Returns scheme, host and port, which may be shown, unlike the rest of an address. */
    static String origin(URI uri) {
        String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
        int usual = scheme.equals("https") ? 443 : 80;
        boolean named = uri.getPort() >= 0 && uri.getPort() != usual;
        return scheme + "://" + String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT)
                + (named ? ":" + uri.getPort() : "");
    }

    /** Ends all connections, those with an unread body too. */
    @Override
    public void close() {
        client.shutdownNow();
        client.close();
    }
}
