package org.setun.hub;

import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Which hub to ask, as whom, and through which proxy. */
public final class HubConnection {

    private static final String ENDPOINT = "HF_ENDPOINT";
    private static final String DEFAULT_ENDPOINT = "https://huggingface.co";

    private final URI endpoint;
    private final Optional<AccessToken> token;
    private final ProxySelector proxies;

    private HubConnection(URI endpoint, Optional<AccessToken> token, ProxySelector proxies) {
        this.endpoint = endpoint;
        this.token = token;
        this.proxies = proxies;
    }

    /**
     * Reads the variables that the Hugging Face tools read: {@code HF_ENDPOINT}, {@code HF_TOKEN} and those of a proxy.
     *
     * @param endpoint a hub that was named otherwise, which goes before {@code HF_ENDPOINT}; null if none was
     * @param environment the variables
     * @param userHome where a token may be kept
     * @throws HubException if a variable has no possible value
     * @throws IOException if the token's file is there and cannot be read
     */
    public static HubConnection of(@Nullable URI endpoint, Map<String, String> environment, Path userHome)
            throws HubException, IOException {
        @Nullable String named = environment.get(ENDPOINT);
        URI chosen;
        if (endpoint != null) {
            chosen = endpoint;
        } else {
            try {
                chosen = endpoint(named == null || named.isBlank() ? DEFAULT_ENDPOINT : named.strip());
            } catch (IllegalArgumentException e) {
                throw new HubException(ENDPOINT + ": " + e.getMessage() + "; correct it or unset it", e);
            }
        }
        return new HubConnection(
                chosen, AccessToken.find(environment, userHome), EnvironmentProxies.selector(environment));
    }

    /**
     * Parses the address of a hub.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static URI endpoint(String text) {
        try {
            URI uri = new URI(text.replaceAll("/+$", ""));
            boolean web = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
            if (web
                    && uri.getHost() != null
                    && uri.getRawUserInfo() == null
                    && uri.getRawQuery() == null
                    && uri.getRawFragment() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // Said below, for every kind of wrong address alike, and without what may be a password in it.
        }
        throw new IllegalArgumentException("expected an address such as " + DEFAULT_ENDPOINT + ", found another text");
    }

    /** Returns the hub's address without a slash at its end. */
    URI endpoint() {
        return endpoint;
    }

    Optional<AccessToken> token() {
        return token;
    }

    ProxySelector proxies() {
        return proxies;
    }
}
