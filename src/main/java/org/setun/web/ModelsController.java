package org.setun.web;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** The endpoints that show what is served. */
@RestController
final class ModelsController {

    private final ServedModel model;

    ModelsController(ServedModel model) {
        this.model = model;
    }

    @GetMapping(path = "/v1/models", produces = MediaType.APPLICATION_JSON_VALUE)
    byte[] list() {
        return WireJson.write(new ModelList("list", List.of(body())));
    }

    // A name may contain slashes, as names of model hubs do.
    @GetMapping(path = "/v1/models/{*name}", produces = MediaType.APPLICATION_JSON_VALUE)
    byte[] one(@PathVariable("name") String path) {
        String name = path.substring(1);
        if (!name.equals(model.name())) {
            throw ApiException.modelNotFound(name, model.name());
        }
        return WireJson.write(body());
    }

    private record ModelList(String object, List<Map<String, Object>> data) {}

    private Map<String, Object> body() {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("id", model.name());
        body.put("object", "model");
        body.put("created", model.created().getEpochSecond());
        body.put("owned_by", "setun");
        body.putAll(model.details());
        return body;
    }
}
