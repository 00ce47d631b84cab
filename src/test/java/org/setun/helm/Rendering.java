package org.setun.helm;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * The objects that a chart makes.
 *
 * @param objects each as it would be sent to the cluster
 */
public record Rendering(List<JsonNode> objects) {

    public Rendering {
        objects = List.copyOf(objects);
    }

    /** Returns the only object of a kind; an exception if there is none or another. */
    public JsonNode only(String kind) {
        List<JsonNode> found = all(kind).toList();
        if (found.size() != 1) {
            throw new AssertionError(kind + ": expected one, found " + found.size());
        }
        return found.getFirst();
    }

    /** Returns the objects of a kind. */
    public Stream<JsonNode> all(String kind) {
        return objects.stream().filter(object -> object.path("kind").asString().equals(kind));
    }

    /** Returns the pods' description. */
    public JsonNode pod() {
        return only("Deployment").at("/spec/template/spec");
    }

    /** Returns the container that serves. */
    public JsonNode server() {
        JsonNode containers = pod().path("containers");
        if (containers.size() != 1) {
            throw new AssertionError("containers: expected one, found " + containers.size());
        }
        return containers.get(0);
    }

    /** Returns all containers, those that run before the server first. */
    public List<JsonNode> containers() {
        return Stream.concat(
                        pod().path("initContainers").valueStream(),
                        pod().path("containers").valueStream())
                .toList();
    }

    /** Returns an environment variable of {@code container}; empty if it has none of that name. */
    public static Optional<JsonNode> variable(JsonNode container, String name) {
        return container
                .path("env")
                .valueStream()
                .filter(variable -> variable.path("name").asString().equals(name))
                .findFirst();
    }

    /** Returns the text of the application's settings. */
    public String applicationYaml() {
        return all("ConfigMap")
                .filter(map -> map.path("data").has("application.yaml"))
                .findFirst()
                .orElseThrow()
                .at("/data/application.yaml")
                .asString();
    }
}
