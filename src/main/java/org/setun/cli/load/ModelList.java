package org.setun.cli.load;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Asks a server which model it serves: {@code GET /v1/models}, which is also how a server that is not there is found out early. */
final class ModelList {

    private static final int OK = 200;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long MOST_BYTES = 1 << 24;
    private static final JsonMapper JSON = new JsonMapper();

    private ModelList() {}

    /**
     * Returns the model that the plan names, or else the first that the server does, with its vocabulary's size: by the plan, or by
     * Setun's {@code vocab_size} or llama-server's {@code meta.n_vocab}.
     *
     * @throws LoadTestException if the server cannot be reached, does not let the user in, or nobody names a model
     */
    static ServedModel ask(HttpClient http, LoadPlan plan) throws LoadTestException, InterruptedException {
        URI uri = URI.create(plan.server() + "/v1/models");
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(PATIENCE);
        plan.apiKey().ifPresent(key -> request.header("Authorization", "Bearer " + key));
        HttpResponse<String> response;
        try {
            response = http.send(request.build(), BodyHandlers.limiting(BodyHandlers.ofString(), MOST_BYTES));
        } catch (IOException e) {
            throw new LoadTestException(uri + ": no answer: " + LoadClient.reason(e), e);
        }
        int status = response.statusCode();
        if (status == UNAUTHORIZED || status == FORBIDDEN) {
            throw new LoadTestException(uri + ": expected status 200, found " + status + ": "
                    + Chunk.reason(response.body()) + "; give a key with --api-key");
        }
        List<JsonNode> models = status == OK ? models(response.body()) : List.of();
        if (models.isEmpty() && plan.model().isEmpty()) {
            throw new LoadTestException(uri + ": expected a list of models, found "
                    + (status == OK ? "" : "status " + status + ": ") + Chunk.reason(response.body())
                    + "; name the model with --model");
        }
        String name = plan.model().orElseGet(() -> models.getFirst().path("id").stringValue());
        OptionalInt vocabSize = plan.vocabSize().isPresent() ? plan.vocabSize() : vocabSize(models, name);
        return new ServedModel(name, vocabSize);
    }

    private static List<JsonNode> models(String body) {
        List<JsonNode> models = new ArrayList<>();
        try {
            for (JsonNode model : JSON.readTree(body).path("data")) {
                if (model.path("id").isString()) {
                    models.add(model);
                }
            }
        } catch (JacksonException e) {
            // No list, which its caller says.
        }
        return models;
    }

    private static OptionalInt vocabSize(List<JsonNode> models, String name) {
        for (JsonNode model : models) {
            if (model.path("id").stringValue().equals(name)) {
                for (JsonNode size :
                        List.of(model.path("vocab_size"), model.path("meta").path("n_vocab"))) {
                    if (size.isInt() && size.intValue() > 0) {
                        return OptionalInt.of(size.intValue());
                    }
                }
            }
        }
        return OptionalInt.empty();
    }
}
