package org.setun.web;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.setun.engine.EngineActivity;
import org.setun.engine.ExpertUsage;
import org.setun.engine.RequestActivity;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** The endpoints that show what the model does: which activations are zero, which weights are read, which experts are used. */
@RestController
final class ActivityController {

    /** How many experts of a layer are named. */
    static final int MAX_TOP = 1000;

    private static final int DEFAULT_TOP = 10;

    /** So much of a wrong value is shown. */
    private static final int MAX_SHOWN = 60;

    private final EngineActivity activity;
    private final ServedModel model;
    private final RequestThreads requestThreads;

    ActivityController(EngineActivity activity, ServedModel model, RequestThreads requestThreads) {
        this.activity = activity;
        this.model = model;
        this.requestThreads = requestThreads;
    }

    private record Sparsity(
            String object,
            String model,
            ActivityBody sinceStart,
            @Nullable Request lastRequest,
            List<Request> running) {}

    private record Request(String id, ActivityBody sparsity) {

        static Request of(RequestActivity request) {
            return new Request(request.id(), ActivityBody.ofRequest(request.activity()));
        }
    }

    @GetMapping(path = "/v1/sparsity", produces = MediaType.APPLICATION_JSON_VALUE)
    Mono<byte[]> sparsity(ServerWebExchange exchange) {
        // Who has a key sees his own requests, not the others'.
        String caller = ApiKeyFilter.caller(exchange).orElse("");
        return answer(() -> new Sparsity(
                "sparsity",
                model.name(),
                ActivityBody.ofAll(activity.total()),
                activity.last(caller).map(Request::of).orElse(null),
                activity.running().stream()
                        .filter(request -> request.caller().equals(caller))
                        .map(Request::of)
                        .toList()));
    }

    private record ExpertList(String object, String model, List<ExpertsBody> data) {}

    @GetMapping(path = "/v1/experts", produces = MediaType.APPLICATION_JSON_VALUE)
    Mono<byte[]> experts(ServerWebExchange exchange) {
        int top = integer(exchange, "top", MAX_TOP, DEFAULT_TOP);
        int layer = integer(exchange, "layer", Integer.MAX_VALUE, -1);
        List<ExpertUsage> shown = activity.experts().stream()
                .filter(usage -> layer < 0 || usage.layer() == layer)
                .toList();
        if (shown.isEmpty() && !activity.experts().isEmpty()) {
            String known = activity.experts().stream()
                    .map(usage -> Integer.toString(usage.layer()))
                    .collect(Collectors.joining(", "));
            throw ApiException.invalidValue(
                    "layer", "layer: expected one of the layers with experts, " + known + ", found " + layer);
        }
        return answer(() -> new ExpertList(
                "list",
                model.name(),
                shown.stream().map(usage -> ExpertsBody.of(usage, top)).toList()));
    }

    /** Returns a number of the query, which may be absent. */
    private static int integer(ServerWebExchange exchange, String name, int max, int absent) {
        List<String> values = exchange.getRequest().getQueryParams().getOrDefault(name, List.of());
        if (values.isEmpty()) {
            return absent;
        }
        String expected =
                name + ": expected one integer " + (max == Integer.MAX_VALUE ? "of 0 or more" : "from 0 to " + max);
        if (values.size() > 1) {
            throw ApiException.invalidValue(name, expected + ", found " + values.size() + " values");
        }
        String value = String.valueOf(values.getFirst());
        try {
            int number = Integer.parseInt(value);
            if (number >= 0 && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw ApiException.invalidType(name, expected + ", found '" + shortened(value) + "'");
        }
        throw ApiException.invalidValue(name, expected + ", found " + value);
    }

    private static String shortened(String value) {
        return value.length() <= MAX_SHOWN ? value : value.substring(0, MAX_SHOWN) + "…";
    }

    /** Gathers the answer on another thread: a walk over a million experts is no work for an event loop. */
    private Mono<byte[]> answer(Supplier<Object> body) {
        return Mono.fromFuture(() -> CompletableFuture.supplyAsync(() -> WireJson.write(body.get()), requestThreads));
    }
}
