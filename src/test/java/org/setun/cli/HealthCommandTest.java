package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The exit code says what a container's health check needs to know. */
@Timeout(60)
final class HealthCommandTest {

    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            if (path.equals("/silent")) {
                return;
            }
            byte[] body = "{\"status\":\"SAID\"}".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(path.equals("/up") ? 200 : 503, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private int ask(String path, String... more) {
        String[] arguments = new String[3 + more.length];
        arguments[0] = "health";
        arguments[1] = "--url";
        arguments[2] = "http://localhost:" + server.getAddress().getPort() + path;
        System.arraycopy(more, 0, arguments, 3, more.length);
        return SetunCommand.run(arguments, given -> {}).orElseThrow();
    }

    @Test
    void zeroMeansReady() {
        assertThat(ask("/up")).isZero();
    }

    @Test
    void oneMeansNotReadySilentOrGone() {
        assertThat(ask("/down")).isEqualTo(1);
        assertThat(ask("/silent", "--timeout", "0.2")).isEqualTo(1);
        server.stop(0);
        assertThat(ask("/up")).isEqualTo(1);
    }

    @Test
    void twoMeansAWrongCommand() {
        assertThat(ask("/up", "--timeout", "0")).isEqualTo(2);
        assertThat(SetunCommand.run(new String[] {"health", "--url", "file:/etc/hosts"}, given -> {}))
                .hasValue(2);
        assertThat(SetunCommand.run(new String[] {"health", "--url", "not an address"}, given -> {}))
                .hasValue(2);
    }

    @Test
    void thePortIsTheServersOwn() {
        assertThat(HealthCommand.port(Map.of())).isEqualTo("8080");
        assertThat(HealthCommand.port(Map.of("SERVER_PORT", "1"))).isEqualTo("1");
        assertThat(HealthCommand.port(Map.of("SERVER_PORT", "1", "MANAGEMENT_SERVER_PORT", "2")))
                .isEqualTo("2");
        assertThat(HealthCommand.port(Map.of("SERVER_PORT", " "))).isEqualTo("8080");
    }
}
