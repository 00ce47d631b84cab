package org.setun.hub;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;

/** The two requests of a hub's interface that fetching a model takes. */
final class HubApi {

    private static final int LONGEST_LISTING = 64 << 20;
    private static final int LISTING_RETRIES = 3;

    private final HubClient client;
    private final ModelReference model;
    private final Refusal refusal;

    HubApi(HubClient client, ModelReference model) {
        this.client = client;
        this.model = model;
        this.refusal = new Refusal(client.connection(), model);
    }

    /**
     * Lists the files of the model at the commit that its revision means now.
     *
     * @throws HubException if the hub has no such model or does not show it, or cannot be reached
     */
    ModelListing list(Pause pause, PullListener listener) throws HubException, InterruptedException {
        String where = HubClient.origin(client.connection().endpoint());
        Retries retries = new Retries(where, LISTING_RETRIES, pause, listener);
        URI uri =
                address("/api/models/" + model.repository() + "/revision/" + encode(model.revision()) + "?blobs=true");
        while (true) {
            try (HubResponse response = client.get(uri, 0)) {
                refusal.check(response, null);
                return ListingReader.read(where + ": " + model.repository(), response.bytes(LONGEST_LISTING));
            } catch (TransientException e) {
                retries.failed(e);
            } catch (IOException e) {
                retries.failed(new TransientException("the connection broke (" + e.getMessage() + ")", e));
            }
        }
    }

    /**
     * Asks for a file from byte {@code from} on; the caller closes the response, whose status is 200, 206 or 416.
     *
     * @throws TransientException if it may come when asked again
     * @throws HubException if it will not
     */
    HubResponse open(RemoteFile file, String commit, long from)
            throws TransientException, HubException, InterruptedException {
        String path = Arrays.stream(file.path().split("/")).map(HubApi::encode).collect(Collectors.joining("/"));
        HubResponse response = client.get(address("/" + model.repository() + "/resolve/" + commit + "/" + path), from);
        try {
            if (response.status() != 416 || from == 0) {
                refusal.check(response, file.path());
            }
            return response;
        } catch (TransientException | HubException e) {
            response.close();
            throw e;
        }
    }

    private URI address(String rest) {
        return URI.create(client.connection().endpoint() + rest);
    }

    private static String encode(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
