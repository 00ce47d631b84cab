package org.setun.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** The Compose file, with the defaults of its variables. */
record ComposeFile(JsonNode document) {

    static final Path FILE = Path.of("docker-compose.yml");

    private static final Pattern VARIABLE = Pattern.compile("\\$\\{\\w+:-([^}]*)}");

    static ComposeFile read() {
        return new ComposeFile(Yaml.read(FILE));
    }

    JsonNode service(String name) {
        JsonNode service = document.path("services").path(name);
        assertThat(service.isObject()).as("a service %s", name).isTrue();
        return service;
    }

    /** Returns all services by their names. */
    Map<String, JsonNode> services() {
        Map<String, JsonNode> services = new LinkedHashMap<>();
        document.path("services").properties().forEach(entry -> services.put(entry.getKey(), entry.getValue()));
        return services;
    }

    String image(String service) {
        return service(service).path("image").asString();
    }

    /** Returns the environment of a service. */
    Map<String, String> environment(String service) {
        Map<String, String> environment = new LinkedHashMap<>();
        service(service).path("environment").properties().forEach(entry -> {
            assertThat(entry.getValue().isString())
                    .as("%s: %s: a text, in quotes where it looks like something else", service, entry.getKey())
                    .isTrue();
            environment.put(entry.getKey(), withDefaults(entry.getValue().asString()));
        });
        return environment;
    }

    /** Returns a list of texts of a service, such as its command, with the defaults of variables. */
    List<String> list(String service, String key) {
        List<String> list = new ArrayList<>();
        for (JsonNode item : service(service).path(key)) {
            list.add(withDefaults(item.asString()));
        }
        return list;
    }

    private static String withDefaults(String text) {
        String replaced = VARIABLE.matcher(text).replaceAll(found -> Matcher.quoteReplacement(found.group(1)));
        assertThat(replaced).as("every variable has a default").doesNotContain("${");
        return replaced;
    }
}
