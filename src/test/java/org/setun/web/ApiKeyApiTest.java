package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.engine.FinishReason;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.test.context.TestPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;

/** Who gets in, and from where. */
@ApiTest
@TestPropertySource(
        properties = {
            "test.keys.alice=open-sesame",
            // That of "b-key".
            "test.keys.bob=sha256:912cf63e4e97cfdaa27ba19112c7881169eaa82676c40b0ce253f165738dafd2",
            "test.origins=https://chat.example.org,http://localhost:3000"
        })
@ExtendWith(OutputCaptureExtension.class)
final class ApiKeyApiTest {

    private static final String ORIGIN = "https://chat.example.org";

    private final ScriptedGenerator generator;
    private final String baseUrl;
    private final WebTestClient client;

    ApiKeyApiTest(@Autowired ScriptedGenerator generator, @LocalServerPort int port) {
        this.generator = generator;
        this.baseUrl = "http://localhost:" + port;
        this.client = WebTestClient.bindToServer().baseUrl(baseUrl).build();
    }

    @BeforeEach
    void answer() {
        generator.byHand();
        generator.answer("Once");
    }

    @ParameterizedTest
    @CsvSource({
        "Authorization, Bearer open-sesame",
        "authorization, bearer open-sesame",
        "Authorization, BEARER  b-key",
        "api-key, open-sesame",
        "x-api-key, b-key"
    })
    void aKeyIsTakenFromTheHeadersThatClientsUse(String header, String value) {
        complete(header, value)
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.choices[0].text")
                .isEqualTo("Once");
    }

    @Test
    void theEngineIsToldWhoAsksAndNotByWhichKey() {
        List<String> callers = new CopyOnWriteArrayList<>();
        generator.script(running -> {
            callers.add(running.request().urgency().caller());
            running.finish(FinishReason.STOP, 1, 0);
        });
        for (String key : List.of("open-sesame", "b-key", "open-sesame")) {
            complete("x-api-key", key).expectStatus().isOk();
        }

        assertThat(callers).hasSize(3).doesNotContain("");
        assertThat(callers.get(2)).isEqualTo(callers.get(0)).isNotEqualTo(callers.get(1));
        assertThat(callers).noneMatch(caller -> caller.contains("open-sesame") || caller.contains("b-key"));
    }

    @Test
    void aProxysOwnAuthorizationLeavesTheKeyToItsHeader() {
        client.get()
                .uri("/v1/models")
                .header("Authorization", "Basic dXNlcjpwYXNz")
                .header("x-api-key", "open-sesame")
                .exchange()
                .expectStatus()
                .isOk();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer wrong-secret", "Bearer alice", "Bearer open-sesame2", "Bearer open-sesam"})
    void aWrongKeyIsRefusedWithOpenAisError(String value, CapturedOutput output) {
        complete("Authorization", value)
                .expectStatus()
                .isUnauthorized()
                .expectHeader()
                .valueEquals("WWW-Authenticate", "Bearer realm=\"setun\", error=\"invalid_token\"")
                .expectHeader()
                .exists("x-request-id")
                .expectBody(String.class)
                .isEqualTo("{\"error\":{\"message\":\"expected one of this server's API keys, found another\","
                        + "\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"invalid_api_key\"}}");

        assertThat(output).doesNotContain("wrong-secret", "open-sesame");
        assertThat(generator.startedNothing()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "POST, /v1/completions",
        "POST, /v1/chat/completions",
        "GET, /v1/models",
        "GET, /v1/models/lab/tiny",
        "GET, /v1/sparsity",
        "GET, /v1/experts",
        "GET, /v1/nothing",
        "POST, /tokenize",
        "GET, /metrics",
        "POST, /%76%31/completions",
        "GET, /health/../v1/models",
        "OPTIONS, /v1/models"
    })
    void everyPathNeedsAKeyThatIsNotNamedOpen(String method, String uri) {
        client.method(HttpMethod.valueOf(method))
                .uri(URI.create(baseUrl + uri))
                .exchange()
                .expectStatus()
                .isUnauthorized()
                .expectHeader()
                .valueEquals("WWW-Authenticate", "Bearer realm=\"setun\"")
                .expectBody()
                .jsonPath("$.error.code")
                .isEqualTo("invalid_api_key");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/docs",
                "/openapi.json",
                "/health",
                "/v1/health",
                "/actuator",
                "/actuator/health",
                "/actuator/health/liveness"
            })
    void probesAndPagesNeedNoKey(String uri) {
        // Some of them are not there, which one without a key is told, too.
        client.get()
                .uri(uri)
                .exchange()
                .expectStatus()
                .value(status -> assertThat(status).isNotEqualTo(401));
    }

    @Test
    void theKeysThemselvesAreNotLogged(CapturedOutput output) {
        LoggingSystem logging = LoggingSystem.get(getClass().getClassLoader());
        logging.setLogLevel("org.springframework", LogLevel.DEBUG);
        try {
            complete("Authorization", "Bearer open-sesame").expectStatus().isOk();
            complete("x-api-key", "b-key").expectStatus().isOk();
            complete("api-key", "wrong-secret").expectStatus().isUnauthorized();
        } finally {
            logging.setLogLevel("org.springframework", null);
        }

        assertThat(output).contains("POST \"/v1/completions\"").doesNotContain("open-sesame", "b-key", "wrong-secret");
    }

    @Test
    void aPageOfAnAllowedOriginAsksFirstAndWithoutAKey() {
        client.options()
                .uri("/v1/chat/completions")
                .header("Origin", ORIGIN)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "authorization, content-type, x-stainless-lang")
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .valueEquals("Access-Control-Allow-Origin", ORIGIN)
                .expectHeader()
                .valueEquals("Access-Control-Allow-Headers", "authorization, content-type, x-stainless-lang")
                .expectHeader()
                .value(
                        "Access-Control-Allow-Methods",
                        methods -> assertThat(methods).contains("POST"))
                .expectHeader()
                .doesNotExist("Access-Control-Allow-Credentials");
    }

    @Test
    void aPageOfAnAllowedOriginReadsAnswersAndErrors() {
        client.get()
                .uri("/v1/models")
                .header("Origin", "http://localhost:3000")
                .header("Authorization", "Bearer open-sesame")
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .valueEquals("Access-Control-Allow-Origin", "http://localhost:3000")
                .expectHeader()
                .value(
                        "Access-Control-Expose-Headers",
                        headers -> assertThat(headers).contains("x-request-id", "x-ratelimit-remaining-tokens"));
        client.get()
                .uri("/v1/models")
                .header("Origin", ORIGIN)
                .exchange()
                .expectStatus()
                .isUnauthorized()
                .expectHeader()
                .valueEquals("Access-Control-Allow-Origin", ORIGIN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://evil.example.org", "http://chat.example.org", "null"})
    void aPageOfAnotherOriginIsRefused(String origin) {
        client.get()
                .uri("/v1/models")
                .header("Origin", origin)
                .header("Authorization", "Bearer open-sesame")
                .exchange()
                .expectStatus()
                .isForbidden()
                .expectHeader()
                .doesNotExist("Access-Control-Allow-Origin")
                .expectBody()
                .jsonPath("$.error.code")
                .isEqualTo("origin_not_allowed");
    }

    private WebTestClient.ResponseSpec complete(String header, String value) {
        return client.post()
                .uri("/v1/completions")
                .contentType(MediaType.APPLICATION_JSON)
                .header(header, value)
                .bodyValue("{\"prompt\":\"x\"}")
                .exchange();
    }
}
