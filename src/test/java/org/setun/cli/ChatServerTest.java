package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.setun.SetunApplication;
import org.setun.cli.chat.ChatModel;
import org.setun.cli.chat.ChatServer;
import org.setun.engine.Engine;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationEvent;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Generator;
import org.setun.generation.Prompt;
import org.setun.sampling.SamplingParameters;
import org.setun.tokenizer.ChatMessage;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import picocli.CommandLine;

/** A conversation with a real server, which has the model that ships and wants a key. */
@SpringBootTest(
        classes = SetunApplication.class,
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {"setun.server.api-keys.me=open-sesame", "setun.engine.context-length=4000"})
@Timeout(120)
final class ChatServerTest {

    private static final Map<String, String> KEY = Map.of("SETUN_API_KEY", "open-sesame");

    @TempDir
    private Path home;

    private final Engine engine;
    private final String url;
    private final StringWriter err = new StringWriter();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    ChatServerTest(@Autowired Engine engine, @LocalServerPort int port) {
        this.engine = engine;
        this.url = "http://localhost:" + port;
    }

    private int run(String input, Map<String, String> environment, String... arguments) {
        out.reset();
        InputStream in = new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8));
        PrintStream print = new PrintStream(out, false, StandardCharsets.UTF_8);
        return new CommandLine(new ChatCommand(in, print, false, environment, home))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setErr(new PrintWriter(err))
                .setExecutionExceptionHandler((exception, failed, parsed) -> {
                    failed.getErr().println(exception.getMessage());
                    return 1;
                })
                .execute(arguments);
    }

    @Test
    void theAnswersAreThoseOfTheSameModelInThisProcess() {
        String questions = "Once upon a time\nThe dog\n/regen\n";
        String[] options = {"--seed", "3", "--max-tokens", "12", "--system", "Be brief."};
        assertThat(run(questions, Map.of(), options)).as("%s", err).isZero();
        String here = out.toString(StandardCharsets.UTF_8);
        assertThat(here.strip()).isNotEmpty();

        String[] there = {"--seed", "3", "--max-tokens", "12", "--system", "Be brief.", "--server", url + "/v1/"};
        assertThat(run(questions, KEY, there)).as("%s", err).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo(here);
    }

    @Test
    void aSmallContextForgetsAndSaysSo() {
        assertThat(run(
                        "Once upon a time\nThe dog ran\nThe cat sat\n",
                        KEY,
                        "--server",
                        url,
                        "--context",
                        "24",
                        "--max-tokens",
                        "8"))
                .isZero();
        assertThat(err.toString()).contains("outgrown the context of 24 tokens");
    }

    @Test
    void whatKeepsItFromAnsweringIsASentence() throws Exception {
        assertThat(run("Hello", Map.of(), "--server", url)).isEqualTo(1);
        assertThat(err.toString())
                .contains(url + "/v1/models: expected a list of models, found status 401: expected an API key");
        assertThat(run("Hello", Map.of("SETUN_API_KEY", "wrong-secret"), "--server", url))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains("expected one of this server's API keys")
                .doesNotContain("wrong-secret");
        int closed;
        try (ServerSocket socket = new ServerSocket(0)) {
            closed = socket.getLocalPort();
        }
        assertThat(run("Hello", KEY, "--server", "http://localhost:" + closed)).isEqualTo(1);
        assertThat(err.toString()).contains("/v1/models: no answer: the connection was refused");
        assertThat(run("Hello", KEY, "--server", url, "--threads", "2")).isEqualTo(2);
        assertThat(err.toString()).contains("--threads: expected no --server beside it, found " + url);
        assertThat(run("Hello", KEY, "--server", "localhost")).isEqualTo(2);
        assertThat(err.toString()).contains("--server: expected an address such as http://localhost:8080");
    }

    @Test
    void anInterruptedAnswerEndsAtTheServer() throws Exception {
        try (ChatServer server = new ChatServer(URI.create(url), Optional.of("open-sesame"))) {
            ChatServer.Served served = server.model();
            assertThat(served.contextLength()).isEqualTo(4000);
            assertThat(served.sampling()).containsKeys("temperature", "top_k", "top_p");
            ChatModel model = server.chatModel(served, served.contextLength(), 0);
            assertThat(model.promptLength().of(List.of(new ChatMessage("user", "Hello"))))
                    .isPositive();
            LinkedBlockingQueue<GenerationEvent> events = new LinkedBlockingQueue<>();
            // Far longer than the test runs, were it not for the interrupt.
            SamplingParameters sampling = new SamplingParameters(2, 0, 1, OptionalLong.of(1));
            Generator.Handle handle = model.generator()
                    .start(
                            new GenerationRequest(
                                    "r",
                                    new Prompt.Chat(List.of(new ChatMessage("user", "Once upon a time"))),
                                    OptionalInt.of(3900),
                                    sampling,
                                    List.of()),
                            events::add);
            assertThat(events.poll(30, TimeUnit.SECONDS)).isInstanceOf(GenerationEvent.Text.class);

            handle.cancel();

            GenerationEvent last = events.poll(30, TimeUnit.SECONDS);
            while (last instanceof GenerationEvent.Text) {
                last = events.poll(30, TimeUnit.SECONDS);
            }
            assertThat(last)
                    .isInstanceOfSatisfying(
                            GenerationEvent.Finished.class,
                            end -> assertThat(end.reason()).isEqualTo(FinishReason.CANCELLED));
            Awaitility.await("the engine to be idle")
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> engine.status().running() == 0);
        }
    }
}
