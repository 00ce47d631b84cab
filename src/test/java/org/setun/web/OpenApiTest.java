package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.setun.tokenizer.Tokenizer;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.result.method.annotation.RequestMappingHandlerMapping;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The OpenAPI document says what the code does: every endpoint, every field, every range. */
@ApiTest
final class OpenApiTest {

    /** A request body: its schema, and one as short as it gets. */
    enum Body {
        COMPLETION("Completion", "{\"prompt\":\"x\"}"),
        CHAT("ChatCompletion", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"logprobs\":true}"),
        EMBEDDING("Embedding", "{\"input\":\"x\"}"),
        TOKENIZE_CONTENT("Tokenize", "{\"content\":\"x\"}"),
        TOKENIZE_PROMPT("Tokenize", "{\"prompt\":\"x\"}"),
        TOKENIZE_MESSAGES("Tokenize", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"),
        DETOKENIZE("Detokenize", "{\"tokens\":[1]}"),
        APPLY_TEMPLATE("ApplyTemplate", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");

        private final String schema;
        private final String shortest;

        Body(String schema, String shortest) {
            this.schema = schema;
            this.shortest = shortest;
        }
    }

    private final WebTestClient client;
    private final RequestMappingHandlerMapping mappings;
    private final Tokenizer tokenizer;
    private final ServedModel model;
    private final JsonNode document;

    OpenApiTest(
            @Autowired @Qualifier("requestMappingHandlerMapping") RequestMappingHandlerMapping mappings,
            @Autowired Tokenizer tokenizer,
            @Autowired ServedModel model,
            @LocalServerPort int port) {
        this.mappings = mappings;
        this.tokenizer = tokenizer;
        this.model = model;
        this.client =
                WebTestClient.bindToServer().baseUrl("http://localhost:" + port).build();
        this.document = new JsonMapper().readTree(get("/openapi.json", MediaType.APPLICATION_JSON));
    }

    @Test
    void everyEndpointIsDocumentedAndNoOther() {
        Set<String> served = new TreeSet<>();
        mappings.getHandlerMethods().forEach((mapping, method) -> {
            if (method.getBeanType().getPackageName().equals("org.setun.web")) {
                mapping.getPatternsCondition()
                        .getPatterns()
                        .forEach(pattern -> mapping.getMethodsCondition()
                                .getMethods()
                                .forEach(verb -> served.add(
                                        verb + " " + pattern.getPatternString().replace("{*", "{"))));
            }
        });

        Set<String> documented = new TreeSet<>();
        for (Map.Entry<String, JsonNode> path : document.get("paths").properties()) {
            String pattern = path.getKey();
            path.getValue()
                    .propertyNames()
                    .forEach(verb -> documented.add(verb.toUpperCase(Locale.ROOT) + " " + pattern));
        }
        assertThat(documented).isEqualTo(served);
    }

    @ParameterizedTest
    @EnumSource
    void everyFieldIsDocumented(Body body) {
        JsonFields fields = fields(body.shortest);
        reader(body).accept(fields);

        Set<String> read = new TreeSet<>(fields.names());
        read.removeAll(unsupported(body));
        assertThat(properties(body.schema).keySet()).containsAll(read);
    }

    @ParameterizedTest
    @EnumSource
    void everyDocumentedFieldIsRead(Body body) {
        Set<String> read = new TreeSet<>();
        for (Body other : Body.values()) {
            if (other.schema.equals(body.schema)) {
                JsonFields fields = fields(other.shortest);
                reader(other).accept(fields);
                read.addAll(fields.names());
            }
        }

        assertThat(read).containsAll(properties(body.schema).keySet());
    }

    @ParameterizedTest
    @EnumSource
    void rangesAreAsDocumented(Body body) {
        properties(body.schema).forEach((name, property) -> {
            for (JsonNode allowed : bounds(property, "minimum", "maximum")) {
                reader(body).accept(fields(with(body, name, allowed.asString())));
            }
            List<String> forbidden = new ArrayList<>();
            bounds(property, "minimum")
                    .forEach(bound -> forbidden.add(
                            bound.decimalValue().subtract(BigDecimal.ONE).toPlainString()));
            bounds(property, "maximum")
                    .forEach(bound -> forbidden.add(
                            bound.decimalValue().add(BigDecimal.ONE).toPlainString()));
            bounds(property, "exclusiveMinimum", "exclusiveMaximum").forEach(bound -> forbidden.add(bound.asString()));
            for (String value : forbidden) {
                assertThatExceptionOfType(ApiException.class)
                        .as("%s: %s", name, value)
                        .isThrownBy(() -> reader(body).accept(fields(with(body, name, value))))
                        .satisfies(e -> assertThat(e.body().error().param()).isEqualTo(name));
            }
        });
    }

    @Test
    void everyReferenceLeadsSomewhere() {
        List<JsonNode> references = document.findValues("$ref");

        assertThat(references)
                .isNotEmpty()
                .allSatisfy(reference -> assertThat(
                                document.at(reference.stringValue().substring(1))
                                        .isMissingNode())
                        .isFalse());
    }

    @Test
    void thePageReadsTheDocumentAndNothingElse() {
        String page = get("/docs", MediaType.parseMediaType("text/html;charset=utf-8"));

        assertThat(page).contains("fetch(\"openapi.json\")").doesNotContain("http:", "https:", "src=", "innerHTML");
    }

    private Consumer<JsonFields> reader(Body body) {
        CallReader calls = new CallReader(model);
        TokenCalls tokens = new TokenCalls(tokenizer, model, 100);
        return switch (body) {
            case COMPLETION -> calls::readCompletion;
            case CHAT -> calls::readChat;
            case EMBEDDING -> fields -> EmbeddingCall.read(fields, model);
            case TOKENIZE_CONTENT, TOKENIZE_PROMPT, TOKENIZE_MESSAGES -> tokens::tokenize;
            case DETOKENIZE -> tokens::detokenize;
            case APPLY_TEMPLATE -> tokens::applyTemplate;
        };
    }

    /** Returns the fields that are read to be refused, which the document leaves out. */
    private static Set<String> unsupported(Body body) {
        return switch (body) {
            case COMPLETION -> UnsupportedFields.COMPLETIONS.names();
            case CHAT -> UnsupportedFields.CHAT.names();
            case EMBEDDING -> UnsupportedFields.EMBEDDINGS.names();
            case TOKENIZE_CONTENT -> UnsupportedFields.TOKENIZE.names();
            case TOKENIZE_MESSAGES, APPLY_TEMPLATE -> UnsupportedFields.TEMPLATE.names();
            case TOKENIZE_PROMPT, DETOKENIZE -> Set.of();
        };
    }

    private Map<String, JsonNode> properties(String schema) {
        Map<String, JsonNode> properties = new TreeMap<>();
        collect(document.at("/components/schemas/" + schema), properties);
        return properties;
    }

    private void collect(JsonNode schema, Map<String, JsonNode> properties) {
        schema.path("properties").properties().forEach(each -> properties.put(each.getKey(), each.getValue()));
        for (JsonNode part : schema.path("allOf")) {
            collect(document.at(part.get("$ref").stringValue().substring(1)), properties);
        }
    }

    private static List<JsonNode> bounds(JsonNode property, String... names) {
        return Stream.of(names).filter(property::has).map(property::get).toList();
    }

    private static String with(Body body, String name, String value) {
        JsonMapper mapper = new JsonMapper();
        ObjectNode fields = mapper.readTree(body.shortest).asObject();
        fields.set(name, mapper.readTree(value));
        return fields.toString();
    }

    private static JsonFields fields(String body) {
        return WireJson.readObject(body.getBytes(StandardCharsets.UTF_8));
    }

    private String get(String uri, MediaType type) {
        byte[] body = client.get()
                .uri(uri)
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .contentType(type)
                .expectBody()
                .returnResult()
                .getResponseBodyContent();
        return new String(body, StandardCharsets.UTF_8);
    }
}
