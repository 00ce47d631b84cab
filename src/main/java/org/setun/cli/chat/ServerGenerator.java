package org.setun.cli.chat;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.setun.cli.load.Chunk;
import org.setun.cli.load.FailedRequestException;
import org.setun.cli.load.SseReader;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Generator;
import org.setun.generation.Prompt;
import org.setun.generation.Usage;
import org.setun.sampling.SamplingParameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Has conversations answered by a server, whose streams it reads each on a thread of its own. Cancelling closes the connection, by
 * which a server knows that nobody wants the answer any more. Thread-safe.
 */
final class ServerGenerator implements Generator {

    private static final int OK = 200;
    private static final int MOST_ERROR_BYTES = 4096;
    private static final String DONE = "[DONE]";

    private final ChatServer server;
    private final String model;

    ServerGenerator(ChatServer server, String model) {
        this.server = server;
        this.model = model;
    }

    @Override
    public Handle start(GenerationRequest request, Consumer<GenerationEvent> events) {
        Answering answering = new Answering(body(request), events);
        Thread thread = Thread.ofVirtual().name("setun-chat-" + request.id()).start(answering::run);
        return () -> {
            answering.cancelled = true;
            thread.interrupt();
        };
    }

    private String body(GenerationRequest request) {
        if (!(request.prompt() instanceof Prompt.Chat chat)) {
            throw new IllegalArgumentException("prompt: expected a conversation, found another prompt");
        }
        SamplingParameters sampling = request.sampling();
        ObjectNode body = JsonMapper.shared()
                .createObjectNode()
                .put("model", model)
                .put("stream", true)
                .put("temperature", sampling.temperature())
                .put("top_k", sampling.topK())
                .put("top_p", sampling.topP());
        body.putObject("stream_options").put("include_usage", true);
        body.set("messages", ChatServer.messages(chat.messages()));
        request.maxTokens().ifPresent(count -> body.put("max_tokens", count));
        sampling.seed().ifPresent(seed -> body.put("seed", seed));
        if (request.activationSparsity() > 0) {
            body.put("activation_sparsity", request.activationSparsity());
        }
        return body.toString();
    }

    /** An answer on its way. */
    private final class Answering {

        private final String body;
        private final Consumer<GenerationEvent> events;
        private volatile boolean cancelled;
        private int texts;
        private @Nullable Usage usage;
        private FinishReason reason = FinishReason.STOP;

        Answering(String body, Consumer<GenerationEvent> events) {
            this.body = body;
            this.events = events;
        }

        void run() {
            GenerationEvent end;
            try {
                read();
                end = finished(reason);
            } catch (IOException | FailedRequestException | InterruptedException | RuntimeException e) {
                end = cancelled ? finished(FinishReason.CANCELLED) : new GenerationEvent.Failed(e);
            }
            events.accept(end);
        }

        private GenerationEvent finished(FinishReason why) {
            // A server that does not count sends about a token at a time.
            return new GenerationEvent.Finished(why, usage == null ? new Usage(0, texts) : usage);
        }

        private void read() throws IOException, FailedRequestException, InterruptedException {
            HttpResponse<InputStream> response = server.send(
                    server.post("/v1/chat/completions", body)
                            .header("Accept", "text/event-stream")
                            .build(),
                    HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream stream = response.body()) {
                if (response.statusCode() != OK) {
                    String error = new String(stream.readNBytes(MOST_ERROR_BYTES), StandardCharsets.UTF_8);
                    throw new IOException("status " + response.statusCode() + ": " + Chunk.reason(error));
                }
                SseReader reader = new SseReader(stream);
                for (String data = reader.next(); !DONE.equals(data); data = reader.next()) {
                    if (data == null) {
                        throw new IOException("the server ended its answer before it was whole");
                    }
                    take(data);
                }
            }
        }

        private void take(String data) throws FailedRequestException {
            Chunk chunk = Chunk.parse(data);
            JsonNode choice = ChatServer.parse(data).path("choices").path(0);
            String text = choice.path("delta").path("content").stringValue("");
            if (!text.isEmpty()) {
                texts++;
                events.accept(new GenerationEvent.Text(text));
            }
            if (choice.path("finish_reason").stringValue("").equals("length")) {
                reason = FinishReason.LENGTH;
            }
            if (chunk.promptTokens().isPresent()) {
                usage = new Usage(
                        chunk.promptTokens().getAsInt(),
                        chunk.cachedTokens().orElse(0),
                        chunk.outputTokens().orElse(texts));
            }
        }
    }
}
