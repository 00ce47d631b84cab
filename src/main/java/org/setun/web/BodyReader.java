package org.setun.web;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpRequest;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** Reads the bytes of JSON bodies, up to a limit. Thread-safe. */
final class BodyReader {

    /** How long a client may go on writing what nobody reads. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final int maxSize;

    /** Creates a reader of bodies of at most {@code maxSize} bytes. */
    BodyReader(int maxSize) {
        this.maxSize = maxSize;
    }

    /** Returns the whole body, or an {@link ApiException} if it is too large or says that it is not JSON in UTF-8. */
    Mono<byte[]> read(ServerHttpRequest request) {
        return Mono.defer(() -> {
            checkContentType(request.getHeaders());
            checkAnnouncedSize(request.getHeaders());
            Body body = new Body();
            return request.getBody()
                    .takeUntil(body::add)
                    .takeUntilOther(body.tooLarge.asMono().then(Mono.delay(PATIENCE)))
                    .then(Mono.fromCallable(body::bytes));
        });
    }

    /**
     * What has come of a body. Of one that is too large as much again is read as it may have, for a short time, and thrown
     * away: a client that is still writing when its connection is closed would not find the answer that tells it why.
     */
    private final class Body {

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final Sinks.Empty<Void> tooLarge = Sinks.empty();
        private long size;

        /** Takes the next bytes, and returns whether there are so many that the rest is not worth reading. */
        boolean add(DataBuffer buffer) {
            try {
                size += buffer.readableByteCount();
                if (size > maxSize) {
                    tooLarge.tryEmitEmpty();
                } else {
                    byte[] next = new byte[buffer.readableByteCount()];
                    buffer.read(next);
                    bytes.writeBytes(next);
                }
                return size > 2L * maxSize;
            } finally {
                DataBufferUtils.release(buffer);
            }
        }

        byte[] bytes() {
            if (size > maxSize) {
                throw tooLarge();
            }
            return bytes.toByteArray();
        }
    }

    // Not read at all: what is far too large, and what its client holds back until it is asked for it.
    private void checkAnnouncedSize(HttpHeaders headers) {
        long announced = headers.getContentLength();
        if (announced > 2L * maxSize || (announced > maxSize && headers.containsHeader(HttpHeaders.EXPECT))) {
            throw tooLarge();
        }
    }

    private ApiException tooLarge() {
        // The rest of the body may not have been read, so the connection cannot be used again.
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
