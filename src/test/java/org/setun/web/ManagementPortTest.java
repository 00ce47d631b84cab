package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.TestPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;

/** Management endpoints on a port of their own, which a network can keep from the API's clients. */
@ApiTest
@TestPropertySource(
        properties = {
            "management.server.port=0",
            "test.keys.alice=a-key",
            "test.requests=1",
            "test.origins=https://a.example"
        })
final class ManagementPortTest {

    private final int apiPort;
    private final int managementPort;

    ManagementPortTest(@LocalServerPort int apiPort, @LocalManagementPort int managementPort) {
        this.apiPort = apiPort;
        this.managementPort = managementPort;
    }

    @ParameterizedTest
    @CsvSource({"/actuator/health", "/actuator/health/readiness", "/actuator/info", "/actuator"})
    void managementIsThereAndNotBesideTheApi(String uri) {
        assertThat(managementPort).isNotEqualTo(apiPort);
        get(managementPort, uri).expectStatus().isOk();
        get(apiPort, uri).expectStatus().isNotFound();
    }

    @ParameterizedTest
    @CsvSource({"/v1/models", "/v1/models/lab/tiny", "/v1/completions"})
    void theApiIsNotBesideManagement(String uri) {
        get(managementPort, uri).expectStatus().isNotFound();
        client(managementPort)
                .post()
                .uri(uri)
                .header("Authorization", "Bearer a-key")
                .bodyValue("{\"prompt\":\"x\"}")
                .exchange()
                .expectStatus()
                .isNotFound();
    }

    @ParameterizedTest
    @CsvSource({"/v1/models", "/v1/models/lab/tiny"})
    void theApiStaysWhereItIs(String uri) {
        get(apiPort, uri).expectStatus().isOk();
    }

    private static WebTestClient.ResponseSpec get(int port, String uri) {
        return client(port).get().uri(uri).header("api-key", "a-key").exchange();
    }

    private static WebTestClient client(int port) {
        return WebTestClient.bindToServer().baseUrl("http://localhost:" + port).build();
    }
}
