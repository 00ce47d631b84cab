package org.setun.cli.load;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A server that lists one model and answers each request as a test says. */
public final class FakeServer implements AutoCloseable {

    /** Answers request {@code index}, counted as they arrive. */
    public interface Answerer {
        /** Answers by one of the methods of {@link Reply}. */
        void answer(int index, JsonNode body, Reply reply) throws Exception;
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger arrived = new AtomicInteger();
    private final List<JsonNode> bodies = new CopyOnWriteArrayList<>();
    private final List<String> keys = new CopyOnWriteArrayList<>();
    private volatile int modelsStatus = 200;
    private volatile String models = "{\"object\":\"list\",\"data\":[{\"id\":\"tern\",\"vocab_size\":500}]}";

    private FakeServer(HttpServer server) {
        this.server = server;
    }

    /** Starts a server on a free port. The caller closes it. */
    public static FakeServer start(Answerer answerer) throws IOException {
        HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1000);
        FakeServer fake = new FakeServer(http);
        http.setExecutor(fake.threads);
        http.createContext("/v1/models", exchange -> {
            fake.keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            new Reply(exchange).whole(fake.modelsStatus, "application/json", fake.models);
        });
        http.createContext("/", exchange -> {
            fake.keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            JsonNode body =
                    JsonMapper.shared().readTree(exchange.getRequestBody().readAllBytes());
            fake.bodies.add(body);
            Reply reply = new Reply(exchange);
            try {
                answerer.answer(fake.arrived.getAndIncrement(), body, reply);
            } catch (Exception e) {
                throw new IOException(e);
            } finally {
                exchange.close();
            }
        });
        http.start();
        return fake;
    }

    /** Has the list of models be another one. */
    FakeServer listing(int status, String body) {
        modelsStatus = status;
        models = body;
        return this;
    }

    /** Returns the address. */
    public URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** Returns the bodies of the requests that came. */
    public List<JsonNode> bodies() {
        return bodies;
    }

    /** Returns the keys of all requests that came, those for the models too. */
    List<String> keys() {
        return keys;
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    /** What a request gets. */
    public static final class Reply {

        private final HttpExchange exchange;

        Reply(HttpExchange exchange) {
            this.exchange = exchange;
        }

        void whole(int status, String type, String body) throws IOException {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Content-Type", type);
            exchange.sendResponseHeaders(status, bytes.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(bytes);
            }
        }

        /** Begins a stream, whose parts go to what is returned. */
        OutputStream stream() throws IOException {
            exchange.getResponseHeaders().add("Content-Type", "text/event-stream; charset=utf-8");
            exchange.sendResponseHeaders(200, 0);
            return exchange.getResponseBody();
        }

        /** Streams {@code tokens} pieces as completions do, and counts. */
        public void completion(int promptTokens, int cachedTokens, int tokens) throws IOException {
            OutputStream out = stream();
            send(out, ": ping\n\n");
            for (int i = 0; i < tokens; i++) {
                send(out, "data: {\"choices\":[{\"index\":0,\"text\":\"a\",\"finish_reason\":null}]}\n\n");
            }
            send(out, "data: {\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":\"length\"}]}\n\n");
            send(
                    out,
                    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d,\"prompt_tokens_details\":{\"cached_tokens\":%d}}}\n\n"
                            .formatted(promptTokens, tokens, cachedTokens));
            send(out, "data: [DONE]\n\n");
            out.close();
        }

        static void send(OutputStream out, String text) throws IOException {
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.flush();
        }
    }
}
