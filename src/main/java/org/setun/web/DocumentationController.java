package org.setun.web;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** The endpoints that describe the API: an OpenAPI document, and a page that shows it to people. */
@RestController
final class DocumentationController {

    private final byte[] document = resource("/openapi.json");
    private final byte[] page = resource("/docs.html");

    @GetMapping(path = "/openapi.json", produces = MediaType.APPLICATION_JSON_VALUE)
    byte[] document() {
        return document;
    }

    @GetMapping(path = "/docs", produces = "text/html;charset=utf-8")
    byte[] page() {
        return page;
    }

    private static byte[] resource(String name) {
        try (InputStream stream = DocumentationController.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new IllegalStateException(name + ": expected on the class path, found nothing");
            }
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(name + ": cannot be read from the class path", e);
        }
    }
}
