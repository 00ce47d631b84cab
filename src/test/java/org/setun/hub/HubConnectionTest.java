package org.setun.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the variables of the environment mean. */
final class HubConnectionTest {

    @TempDir
    private Path home;

    private Optional<String> token(Map<String, String> environment) throws Exception {
        return HubConnection.of(null, environment, home).token().map(AccessToken::authorization);
    }

    private Path write(String path, String text) throws Exception {
        Path file = home.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    @Test
    void theEndpointIsTheOneNamedElseThatOfTheEnvironmentElseHuggingFace() throws Exception {
        Map<String, String> environment = Map.of("HF_ENDPOINT", "https://mirror.example/hub/");
        assertThat(HubConnection.of(URI.create("http://own:8080"), environment, home)
                        .endpoint())
                .hasToString("http://own:8080");
        assertThat(HubConnection.of(null, environment, home).endpoint()).hasToString("https://mirror.example/hub");
        assertThat(HubConnection.of(null, Map.of(), home).endpoint()).hasToString("https://huggingface.co");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "huggingface.co",
                "ftp://huggingface.co",
                "https://",
                "https://user:hf_secret@huggingface.co",
                "https://huggingface.co?x=1",
                "not an address"
            })
    void whatIsNoEndpointIsRefusedWithoutShowingIt(String text) {
        assertThatThrownBy(() -> HubConnection.of(null, Map.of("HF_ENDPOINT", text), home))
                .isInstanceOf(HubException.class)
                .hasMessage(
                        "HF_ENDPOINT: expected an address such as https://huggingface.co, found another text; correct"
                                + " it or unset it");
    }

    @Test
    void theTokenIsFoundWhereTheOtherToolsKeepIt() throws Exception {
        assertThat(token(Map.of())).isEmpty();
        write(".cache/huggingface/token", "hf_default\n");
        assertThat(token(Map.of())).contains("Bearer hf_default");
        write("caches/huggingface/token", "hf_caches");
        Map<String, String> caches =
                Map.of("XDG_CACHE_HOME", home.resolve("caches").toString());
        assertThat(token(caches)).contains("Bearer hf_caches");
        write("hf/token", "hf_home");
        assertThat(token(Map.of("HF_HOME", home.resolve("hf").toString()))).contains("Bearer hf_home");
        Path file = write("secret.txt", " hf_file ");
        String path = file.toString();
        assertThat(token(Map.of(
                        "HF_TOKEN_PATH", path, "HF_HOME", home.resolve("hf").toString())))
                .contains("Bearer hf_file");
        assertThat(token(Map.of("HUGGING_FACE_HUB_TOKEN", "hf_older", "HF_TOKEN_PATH", path)))
                .contains("Bearer hf_older");
        assertThat(token(Map.of("HF_TOKEN", "hf_new", "HUGGING_FACE_HUB_TOKEN", "hf_older")))
                .contains("Bearer hf_new");
        assertThat(token(Map.of("HF_TOKEN", " ", "HUGGING_FACE_HUB_TOKEN", "hf_older")))
                .contains("Bearer hf_older");
    }

    @Test
    void aTokenThatCannotBeAHeaderIsRefusedWithoutShowingIt() throws Exception {
        assertThatThrownBy(() -> token(Map.of("HF_TOKEN", "hf_secret\nX-Evil: 1")))
                .isInstanceOf(HubException.class)
                .hasMessage(
                        "HF_TOKEN: expected an access token of visible ASCII characters, found others; set it anew");
        assertThat(AccessToken.of("x", "hf_secret").orElseThrow()).hasToString("AccessToken[hidden]");
    }

    @Test
    void proxiesAreThoseOfTheEnvironment() throws Exception {
        ProxySelector proxies = EnvironmentProxies.selector(Map.of(
                "https_proxy", "http://proxy.example:3128",
                "HTTP_PROXY", "plain.example",
                "NO_PROXY", "internal.example, .corp.example"));
        assertThat(proxies.select(URI.create("https://huggingface.co/x")))
                .containsExactly(proxy("proxy.example", 3128));
        assertThat(proxies.select(URI.create("http://huggingface.co/x"))).containsExactly(proxy("plain.example", 80));
        for (String direct : new String[] {
            "https://internal.example/",
            "https://a.internal.example/",
            "https://hub.corp.example/",
            "http://127.0.0.1:80/",
            "http://localhost/",
            "https://[::1]/"
        }) {
            assertThat(proxies.select(URI.create(direct))).as(direct).containsExactly(Proxy.NO_PROXY);
        }
        assertThat(proxies.select(URI.create("https://notinternal.example/")))
                .containsExactly(proxy("proxy.example", 3128));
    }

    @Test
    void oneVariableNamesTheProxyOfAll() throws Exception {
        ProxySelector proxies = EnvironmentProxies.selector(Map.of("ALL_PROXY", "http://all:1", "no_proxy", "*"));
        assertThat(proxies.select(URI.create("https://huggingface.co"))).containsExactly(Proxy.NO_PROXY);
        assertThat(EnvironmentProxies.selector(Map.of("ALL_PROXY", "http://all:1"))
                        .select(URI.create("https://huggingface.co")))
                .containsExactly(proxy("all", 1));
        assertThat(EnvironmentProxies.selector(Map.of())).isSameAs(ProxySelector.getDefault());
    }

    @ParameterizedTest
    @ValueSource(strings = {"socks5://proxy:1080", "http://user:hf_secret@proxy:1", "http://", "a b"})
    void aProxyThatIsNotSpokenIsRefusedWithoutShowingIt(String text) {
        assertThatThrownBy(() -> EnvironmentProxies.selector(Map.of("HTTPS_PROXY", text)))
                .isInstanceOf(HubException.class)
                .hasMessageStartingWith("HTTPS_PROXY: expected a proxy as http://HOST:PORT")
                .hasMessageNotContaining("hf_secret");
    }

    private static Proxy proxy(String host, int port) {
        return new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(host, port));
    }
}
