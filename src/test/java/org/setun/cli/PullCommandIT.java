package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.setun.cli.PackagedSetun.Result;
import org.setun.hub.FakeHub;

/** {@code pull} of the packaged jar, run and killed as a user does. */
@Timeout(300)
final class PullCommandIT {

    private static final Path GOLDEN = Path.of("src/test/resources/golden/mmfree-tiny/f32");

    @TempDir
    private Path temporary;

    @Test
    void whatWasPulledRuns() throws Exception {
        try (FakeHub hub = FakeHub.start("acme/tern")) {
            hub.put("config.json", Files.readAllBytes(GOLDEN.resolve("config.json")))
                    .putLarge("model.safetensors", Files.readAllBytes(GOLDEN.resolve("model.safetensors")))
                    .commit();
            Path directory = temporary.resolve("tern");
            Result pulled = PackagedSetun.run(
                    "pull", "acme/tern", "--endpoint", hub.endpoint().toString(), "--dir", directory.toString());
            assertThat(pulled.exitCode()).as(pulled.err()).isZero();
            assertThat(pulled.out()).isEqualTo(directory + System.lineSeparator());

            String path = pulled.out().strip();
            Result logits = PackagedSetun.run("logits", "--model", path, "--tokens", "1,2,3");
            assertThat(logits.exitCode()).as(logits.err()).isZero();
            assertThat(logits.out())
                    .isEqualTo(PackagedSetun.run("logits", "--model", GOLDEN.toString(), "--tokens", "1,2,3")
                            .out());
        }
    }

    @Test
    void aMissingModelIsOneSentence() throws Exception {
        try (FakeHub hub = FakeHub.start("acme/tern")) {
            Result result = PackagedSetun.run(
                    "pull",
                    "no/body",
                    "--endpoint",
                    hub.endpoint().toString(),
                    "--dir",
                    temporary.resolve("x").toString());
            assertThat(result.exitCode()).isEqualTo(1);
            assertThat(result.out()).isEmpty();
            assertThat(result.err().lines()).hasSize(1);
            assertThat(result.err()).startsWith("setun: no/body: the hub ");
        }
    }

    @Test
    void aKilledPullIsContinuedByTheNext() throws Exception {
        byte[] weights = new byte[3_000_000];
        new Random(1).nextBytes(weights);
        try (FakeHub hub = FakeHub.start("acme/tern")) {
            hub.put("config.json", "{}").putLarge("model.safetensors", weights).commit();
            // The connection breaks, and the retry finds a server that says nothing: the pull says so, then waits.
            hub.breakOnceThenFallSilent("model.safetensors", 2_000_000);
            Path directory = temporary.resolve("tern");
            String[] arguments = {
                "pull", "acme/tern", "--endpoint", hub.endpoint().toString(), "--dir", directory.toString()
            };
            Process process = PackagedSetun.builder(arguments).start();
            try (BufferedReader err =
                    new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
                awaitRetry(err);
                Result second = PackagedSetun.run(arguments);
                assertThat(second.exitCode()).isEqualTo(1);
                assertThat(second.err()).contains("expected one pull at a time");
            } finally {
                process.destroyForcibly();
                assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(directory.resolve("config.json")).doesNotExist();

            Result result = PackagedSetun.run(arguments);
            assertThat(result.exitCode()).as(result.err()).isZero();
            List<String> ranges = hub.requests().stream()
                    .filter(request -> request.path().endsWith("model.safetensors"))
                    .map(request -> request.header("Range"))
                    .toList();
            assertThat(ranges).hasSize(3).element(0).isEqualTo("");
            assertThat(ranges).element(1).isEqualTo("bytes=2000000-");
            assertThat(ranges).element(2).isEqualTo("bytes=2000000-");
            assertThat(directory.resolve("model.safetensors")).hasBinaryContent(weights);
            try (Stream<Path> left = Files.list(directory.resolve(".setun-pull"))) {
                assertThat(left).hasSize(2);
            }
        }
    }

    private static void awaitRetry(BufferedReader err) throws Exception {
        StringBuilder seen = new StringBuilder();
        for (String line = err.readLine(); line != null; line = err.readLine()) {
            seen.append(line).append('\n');
            if (line.contains("trying again")) {
                return;
            }
        }
        throw new AssertionError("the pull ended before its connection broke:\n" + seen);
    }
}
