package org.setun.web;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpRequest;
import reactor.core.publisher.Mono;

/** Reads the bytes of JSON bodies, up to a limit. Thread-safe. */
final class BodyReader {

    private final int maxSize;

    /** Creates a reader of bodies of at most {@code maxSize} bytes. */
    BodyReader(int maxSize) {
        this.maxSize = maxSize;
    }

    /** Returns the whole body, or an {@link ApiException} if it is too large or says that it is not JSON in UTF-8. */
    Mono<byte[]> read(ServerHttpRequest request) {
        return Mono.defer(() -> {
            checkContentType(request.getHeaders());
            if (request.getHeaders().getContentLength() > maxSize) {
                throw tooLarge();
            }
            return DataBufferUtils.join(request.getBody(), maxSize)
                    .map(BodyReader::bytes)
                    .defaultIfEmpty(new byte[0])
                    .onErrorMap(DataBufferLimitException.class, e -> tooLarge());
        });
    }

    private static byte[] bytes(DataBuffer buffer) {
        byte[] bytes = new byte[buffer.readableByteCount()];
        buffer.read(bytes);
        DataBufferUtils.release(buffer);
        return bytes;
    }

    private ApiException tooLarge() {
        // The rest of the body is not worth reading, so the connection cannot be used again.
        return ApiException.http(
                        HttpStatus.CONTENT_TOO_LARGE,
                        "request_too_large",
                        "the body: expected at most " + maxSize
                                + " bytes, found more; setun.server.max-body-size sets the limit")
                .header(HttpHeaders.CONNECTION, "close");
    }

    // A body without a type is taken for what it must be.
    private static void checkContentType(HttpHeaders headers) {
        String found = headers.getFirst(HttpHeaders.CONTENT_TYPE);
        if (found != null && !isJson(found)) {
            throw ApiException.http(
                    HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                    "unsupported_media_type",
                    "the header Content-Type: expected application/json in UTF-8, found '" + found + "'");
        }
    }

    private static boolean isJson(String contentType) {
        @Nullable MediaType type;
        try {
            type = MediaType.parseMediaType(contentType);
        } catch (InvalidMediaTypeException e) {
            return false;
        }
        boolean json = type.isCompatibleWith(MediaType.APPLICATION_JSON)
                || type.isCompatibleWith(MediaType.valueOf("application/*+json"));
        return json && (type.getCharset() == null || type.getCharset().equals(StandardCharsets.UTF_8));
    }
}
