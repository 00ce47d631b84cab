package org.setun.cli.chat;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.setun.cli.load.Chunk;
import org.setun.tokenizer.ChatMessage;
import org.setun.tokenizer.ChatTemplateException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;

/**
 * A server with OpenAI's API that answers a chat: which model it has, and how long a conversation is, which vLLM's {@code POST
 * /tokenize} tells. Where a server has no such endpoint, it has to say itself what is too long. Thread-safe.
 */
public final class ChatServer implements AutoCloseable {

    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final JsonMapper JSON = new JsonMapper();

    private final URI server;
    private final Optional<String> apiKey;
    private final HttpClient http;

    /**
     * Creates a client; nothing is sent yet.
     *
     * @param server the server's address, without {@code /v1} and without a slash at its end
     * @param apiKey what to send as the bearer's token
     */
    public ChatServer(URI server, Optional<String> apiKey) {
        this.server = server;
        this.apiKey = apiKey;
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(PATIENCE)
                .build();
    }

    /**
     * A model that the server has.
     *
     * @param name what requests call it
     * @param contextLength how many tokens it takes; {@link Integer#MAX_VALUE} if the server does not tell
     * @param sampling how the server draws tokens if a request does not say: {@code temperature}, {@code top_k} and {@code top_p} as
     *     far as it tells
     */
    public record Served(String name, int contextLength, Map<String, Double> sampling) {}

    /**
     * Asks for the first model that the server lists.
     *
     * @throws IOException in a sentence for the user, if the server cannot be reached, does not let the user in, or has none
     */
    public Served model() throws IOException, InterruptedException {
        HttpResponse<String> response =
                send(request("/v1/models").timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
        JsonNode model = response.statusCode() == OK
                ? parse(response.body()).path("data").path(0)
                : JSON.missingNode();
        if (!model.path("id").isString()) {
            throw new IOException(server + "/v1/models: expected a list of models, found "
                    + (response.statusCode() == OK ? "" : "status " + response.statusCode() + ": ")
                    + Chunk.reason(response.body()));
        }
        int contextLength = model.path("max_model_len").intValue(Integer.MAX_VALUE);
        JsonNode sampling = model.path("default_sampling");
        Map<String, Double> known = new HashMap<>();
        for (String name : List.of("temperature", "top_k", "top_p")) {
            if (sampling.path(name).isNumber()) {
                known.put(name, sampling.path(name).doubleValue());
            }
        }
        return new Served(model.path("id").stringValue(), contextLength, known);
    }

    /**
     * Returns who answers at the server.
     *
     * @param contextLength how many tokens a conversation and its next answer may have together
     * @param activationSparsity the fraction of activations to drop at least
     */
    public ChatModel chatModel(Served served, int contextLength, double activationSparsity) {
        return new ChatModel(
                served.name() + " at " + server,
                new ServerGenerator(this, served.name()),
                messages -> length(served.name(), messages),
                contextLength,
                activationSparsity);
    }

    private int length(String model, List<ChatMessage> messages) throws ChatTemplateException {
        String body = JSON.createObjectNode()
                .put("model", model)
                .set("messages", messages(messages))
                .toString();
        try {
            HttpResponse<String> response =
                    send(post("/tokenize", body).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
            return switch (response.statusCode()) {
                case OK -> parse(response.body()).path("count").intValue(0);
                case BAD_REQUEST -> throw new ChatTemplateException(Chunk.reason(response.body()));
                // Another server, or one that does not want to be asked: the request itself will show it.
                default -> 0;
            };
        } catch (IOException e) {
            // Likewise.
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        }
    }

    /** Returns a conversation as requests have it. */
    static ArrayNode messages(List<ChatMessage> messages) {
        ArrayNode array = JSON.createArrayNode();
        for (ChatMessage message : messages) {
            array.addObject().put("role", message.role()).put("content", message.content());
        }
        return array;
    }

    /** Returns a request with a JSON body. */
    HttpRequest.Builder post(String path, String body) {
        return request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body, StandardCharsets.UTF_8));
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server + path));
        apiKey.ifPresent(key -> request.header("Authorization", "Bearer " + key));
        return request;
    }

    /** Sends a request; an exception's message is a sentence for the user. */
    <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> body)
            throws IOException, InterruptedException {
        try {
            return http.send(request, body);
        } catch (ConnectException e) {
            throw new IOException(request.uri() + ": no answer: the connection was refused", e);
        } catch (IOException e) {
            throw new IOException(request.uri() + ": no answer: " + e, e);
        }
    }

    /** Returns the tree of a text; a missing node if it is no JSON. */
    static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (JacksonException e) {
            return JSON.missingNode();
        }
    }

    /** Ends all requests. */
    @Override
    public void close() {
        http.shutdownNow();
        http.close();
    }
}
