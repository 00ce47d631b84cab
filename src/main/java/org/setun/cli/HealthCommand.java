package org.setun.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.net.HttpURLConnection;
import java.net.MalformedURLException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Asks a server whether it can answer: what a container without curl checks its health with. It starts often, beside a server that
 * needs the processor, so it uses the JDK's smallest client.
 */
@Command(
        name = "health",
        description = {
            "Says whether a server can answer: exit code 0 if it is ready, 1 if it is not, is draining or is not there.",
            "By default it asks the server on this machine."
        })
final class HealthCommand implements Callable<Integer> {

    private static final String READINESS = "/actuator/health/readiness";
    private static final int OK = 200;
    private static final int MOST_BYTES = 1 << 16;
    private static final double MILLIS = 1e3;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "What to ask; default: http://localhost:PORT" + READINESS
                    + ", where PORT is MANAGEMENT_SERVER_PORT, or else SERVER_PORT, of the environment, or else 8080.")
    private @Nullable String url;

    @Option(names = "--timeout", paramLabel = "SECONDS", description = "How long to wait; default: 5.")
    private double timeout = 5;

    @Override
    public Integer call() {
        String asked = url == null ? "http://localhost:" + port(System.getenv()) + READINESS : url;
        int millis = (int) Math.round(timeout * MILLIS);
        if (millis < 1) {
            throw new ParameterException(spec.commandLine(), "--timeout: expected more than 0, found " + timeout);
        }
        PrintWriter err = spec.commandLine().getErr();
        try {
            HttpURLConnection connection = connection(asked);
            connection.setConnectTimeout(millis);
            connection.setReadTimeout(millis);
            int status = connection.getResponseCode();
            String body = body(connection, status);
            if (status == OK) {
                spec.commandLine().getOut().println(body);
                return 0;
            }
            err.println("setun: " + asked + ": expected status " + OK + ", found " + status + ": " + body);
        } catch (IOException e) {
            err.println("setun: " + asked + ": expected an answer, found none (" + e.getMessage() + ")");
        }
        return 1;
    }

    /** Returns the port on which a server with this environment shows its health. */
    static String port(Map<String, String> environment) {
        for (String name : new String[] {"MANAGEMENT_SERVER_PORT", "SERVER_PORT"}) {
            String port = environment.get(name);
            if (port != null && !port.isBlank()) {
                return port.strip();
            }
        }
        return "8080";
    }

    private HttpURLConnection connection(String asked) throws IOException {
        try {
            if (URI.create(asked).toURL().openConnection() instanceof HttpURLConnection http) {
                return http;
            }
        } catch (IllegalArgumentException | MalformedURLException e) {
            // Said below.
        }
        throw new ParameterException(spec.commandLine(), "--url: expected an HTTP address, found '" + asked + "'");
    }

    private static String body(HttpURLConnection connection, int status) throws IOException {
        try (InputStream in = status < HttpURLConnection.HTTP_BAD_REQUEST
                ? connection.getInputStream()
                : connection.getErrorStream()) {
            return in == null ? "" : new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8).strip();
        }
    }
}
