package org.setun.hub;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Chooses a proxy as command line tools do: {@code HTTPS_PROXY}, {@code HTTP_PROXY} and {@code ALL_PROXY}, in capitals or
 * not, save for the hosts in {@code NO_PROXY}. This machine itself is always asked directly. Java's own system properties
 * take effect where no variable is set.
 */
final class EnvironmentProxies extends ProxySelector {

    private static final int HTTP_PORT = 80;

    private final @Nullable Proxy http;
    private final @Nullable Proxy https;
    private final List<String> direct;

    private EnvironmentProxies(@Nullable Proxy http, @Nullable Proxy https, List<String> direct) {
        this.http = http;
        this.https = https;
        this.direct = direct;
    }

    /** Returns the choice that {@code environment} makes, or the JVM's own where it makes none. */
    static ProxySelector selector(Map<String, String> environment) throws HubException {
        @Nullable Proxy http = proxy(environment, "HTTP_PROXY");
        @Nullable Proxy https = proxy(environment, "HTTPS_PROXY");
        if (http == null && https == null) {
            @Nullable ProxySelector own = ProxySelector.getDefault();
            return own == null ? new EnvironmentProxies(null, null, List.of()) : own;
        }
        List<String> direct = Arrays.stream(
                        variable(environment, "NO_PROXY").orElse("").split(","))
                .map(String::strip)
                .filter(entry -> !entry.isEmpty())
                .map(entry -> entry.toLowerCase(Locale.ROOT))
                .toList();
        return new EnvironmentProxies(http, https, direct);
    }

    private static @Nullable Proxy proxy(Map<String, String> environment, String name) throws HubException {
        Optional<String> text = variable(environment, name).or(() -> variable(environment, "ALL_PROXY"));
        if (text.isEmpty()) {
            return null;
        }
        String address = text.get().contains("://") ? text.get() : "http://" + text.get();
        try {
            URI uri = new URI(address);
            if ("http".equalsIgnoreCase(uri.getScheme()) && uri.getHost() != null && uri.getRawUserInfo() == null) {
                int port = uri.getPort() < 0 ? HTTP_PORT : uri.getPort();
                return new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(uri.getHost(), port));
            }
        } catch (URISyntaxException e) {
            // Said below: the text may hold a password, so that neither it nor the parser's complaint is shown.
        }
        throw new HubException(name
                + ": expected a proxy as http://HOST:PORT without a password, found another text; correct it, or unset it"
                + " and set Java's https.proxyHost and https.proxyPort");
    }

    private static Optional<String> variable(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name))
                .or(() -> Optional.ofNullable(environment.get(name.toLowerCase(Locale.ROOT))))
                .map(String::strip)
                .filter(text -> !text.isEmpty());
    }

    @Override
    public List<Proxy> select(URI uri) {
        @Nullable Proxy proxy = "https".equalsIgnoreCase(uri.getScheme()) ? https : http;
        @Nullable String host = uri.getHost();
        return List.of(
                proxy == null || host == null || isDirect(host.toLowerCase(Locale.ROOT)) ? Proxy.NO_PROXY : proxy);
    }

    private boolean isDirect(String host) {
        if (host.equals("localhost") || host.startsWith("127.") || host.equals("[::1]")) {
            return true;
        }
        for (String entry : direct) {
            String suffix = entry.startsWith(".") ? entry : "." + entry;
            if (entry.equals("*") || host.equals(entry) || host.endsWith(suffix)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException failure) {
        // The request itself fails, and says so.
    }
}
