package org.setun.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.setun.hub.FakeHub.Reply;

/** Broken connections, wrong answers and wrong bytes: what comes is exact, or an error says why. */
@Timeout(120)
final class FileDownloadTest {

    private static final String WEIGHTS = "model.safetensors";
    private static final int LENGTH = 50_000;

    @TempDir
    private Path directory;

    private FakeHub hub;
    private final byte[] bytes = new byte[LENGTH];

    @BeforeEach
    void start() throws Exception {
        hub = FakeHub.start(Puller.REPOSITORY);
        new Random(1).nextBytes(bytes);
        hub.putLarge(WEIGHTS, bytes).commit();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private Puller puller() {
        return new Puller(hub, directory).include(WEIGHTS);
    }

    private List<String> ranges() {
        return hub.requestsFor(WEIGHTS).stream()
                .map(request -> request.header("Range"))
                .toList();
    }

    private long partialFiles() throws Exception {
        try (Stream<Path> files = Files.list(directory.resolve(".setun-pull"))) {
            return files.filter(file -> file.toString().endsWith(".partial")).count();
        }
    }

    @Test
    void continuesAfterAConnectionBroke() throws Exception {
        hub.once(WEIGHTS, reply -> reply.cutAfter(20_000));
        Puller puller = puller();
        puller.pull();

        assertThat(ranges()).containsExactly("", "bytes=20000-");
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(bytes);
        assertThat(puller.waits).containsExactly(Duration.ofSeconds(1));
        assertThat(puller.reasons.getFirst()).startsWith(WEIGHTS + ": the connection broke (");
    }

    @Test
    void continuesWhenTheOtherSideFellSilent() throws Exception {
        hub.once(WEIGHTS, reply -> reply.silentAfter(20_000));
        Puller puller = puller().patience(Duration.ofMillis(500));
        puller.pull();

        assertThat(ranges()).containsExactly("", "bytes=20000-");
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(bytes);
    }

    @Test
    void whateverBreaksTheBytesAreExact() throws Exception {
        long seed = Seeds.next("FileDownloadTest#whateverBreaksTheBytesAreExact");
        Random random = new Random(seed);
        for (int trial = 0; trial < 60; trial++) {
            // Six in a row without progress would rightly end it.
            int faults = 1 + random.nextInt(5);
            for (int fault = 0; fault < faults; fault++) {
                hub.once(WEIGHTS, change(random));
            }
            Path target = directory.resolve("trial-" + trial);
            new Puller(hub, target).include(WEIGHTS).pull();
            assertThat(target.resolve(WEIGHTS))
                    .as("seed %d, trial %d", seed, trial)
                    .hasBinaryContent(bytes);
            // Faults that this trial did not meet belong to no other.
            hub.forgetRules();
        }
    }

    private FakeHub.Change change(Random random) {
        int cut = random.nextInt(LENGTH);
        return switch (random.nextInt(10)) {
            case 0 -> reply -> reply.cutAfter(-1);
            case 1 -> reply -> new Reply(200, Map.of(), bytes).cutAfter(cut);
            case 2 -> reply -> reply.status() == 206 ? Reply.of(416, Map.of(), "") : reply;
            case 3 -> reply -> reply.with("Content-Range", "bytes 7-" + (LENGTH - 1) + "/" + LENGTH);
            default -> reply -> reply.cutAfter(Math.min(cut, reply.body().length));
        };
    }

    @Test
    void aNewProcessContinuesWhatAnotherLeft() throws Exception {
        for (int i = 0; i < 6; i++) {
            int cut = i == 0 ? 30_000 : 0;
            hub.once(WEIGHTS, reply -> reply.cutAfter(cut));
        }
        assertThatThrownBy(() -> puller().pull())
                .isInstanceOf(HubException.class)
                .hasMessageContaining("5 more times without progress")
                .hasMessageContaining("pull again, which goes on from here");
        assertThat(partialFiles()).isOne();
        hub.forgetRequests();
        PullResult result = puller().pull();

        assertThat(ranges()).containsExactly("bytes=30000-");
        assertThat(result.fetchedBytes()).isEqualTo(20_000);
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(bytes);
        assertThat(partialFiles()).isZero();
    }

    @Test
    void waitsLongerAndLongerAndGivesUpWithoutProgress() throws Exception {
        for (int i = 0; i < 6; i++) {
            hub.once(WEIGHTS, reply -> reply.cutAfter(0));
        }
        Puller puller = puller();
        assertThatThrownBy(puller::pull).isInstanceOf(HubException.class);

        assertThat(puller.waits).extracting(Duration::toSeconds).containsExactly(1L, 2L, 4L, 8L, 16L);
    }

    @Test
    void goesOnForEverAsLongAsThereIsProgress() throws Exception {
        for (int i = 0; i < 40; i++) {
            hub.once(WEIGHTS, reply -> reply.cutAfter(1_000));
        }
        Puller puller = puller();
        puller.pull();

        assertThat(puller.waits).hasSize(40).containsOnly(Duration.ofSeconds(1));
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(bytes);
    }

    @Test
    void givesUpOnAServerThatStartsAnewAndNeverComesFurther() throws Exception {
        for (int i = 0; i < 6; i++) {
            hub.once(WEIGHTS, reply -> new Reply(200, Map.of(), bytes).cutAfter(10_000));
        }
        assertThatThrownBy(() -> puller().pull())
                .isInstanceOf(HubException.class)
                .hasMessageContaining("without progress");
        assertThat(ranges()).hasSize(6);
    }

    @Test
    void whatWasFetchedOfAnotherVersionIsNotContinued() throws Exception {
        for (int i = 0; i < 6; i++) {
            int cut = i == 0 ? 30_000 : 0;
            hub.once(WEIGHTS, reply -> reply.cutAfter(cut));
        }
        assertThatThrownBy(() -> puller().pull()).isInstanceOf(HubException.class);
        byte[] changed = bytes.clone();
        changed[10] ^= 1;
        hub.putLarge(WEIGHTS, changed).commit();
        hub.forgetRequests();
        puller().pull();

        assertThat(ranges()).containsExactly("");
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(changed);
        assertThat(partialFiles()).isZero();
    }

    @Test
    void whatIsTheSameInAnotherVersionIsContinued() throws Exception {
        for (int i = 0; i < 6; i++) {
            int cut = i == 0 ? 30_000 : 0;
            hub.once(WEIGHTS, reply -> reply.cutAfter(cut));
        }
        assertThatThrownBy(() -> puller().pull()).isInstanceOf(HubException.class);
        hub.put("README.md", "New words.").commit();
        hub.forgetRequests();
        puller().pull();

        assertThat(ranges()).containsExactly("bytes=30000-");
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(bytes);
    }

    @Test
    void aServerWithoutRangesIsAskedFromTheBeginning() throws Exception {
        hub.once(WEIGHTS, reply -> reply.cutAfter(20_000));
        hub.once(WEIGHTS, reply -> new Reply(200, Map.of(), bytes));
        puller().pull();

        assertThat(ranges()).containsExactly("", "bytes=20000-");
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(bytes);
    }

    @Test
    void aRangeThatWasNotAskedForIsNotTaken() throws Exception {
        for (String range :
                new String[] {"bytes 0-49999/50000", "bytes 20000-49999/60000", "bytes 20000-30000/50000", ""}) {
            hub.once(WEIGHTS, reply -> reply.cutAfter(20_000));
            hub.once(WEIGHTS, reply -> reply.with("Content-Range", range));
            hub.forgetRequests();
            Path target = directory.resolve("range" + range.hashCode());
            new Puller(hub, target).include(WEIGHTS).pull();

            assertThat(ranges()).as(range).containsExactly("", "bytes=20000-", "");
            assertThat(target.resolve(WEIGHTS)).hasBinaryContent(bytes);
        }
    }

    @Test
    void aRangeThatIsNotThereStartsAnew() throws Exception {
        hub.once(WEIGHTS, reply -> reply.cutAfter(20_000));
        hub.once(WEIGHTS, reply -> Reply.of(416, Map.of("Content-Range", "bytes */50000"), ""));
        puller().pull();

        assertThat(ranges()).containsExactly("", "bytes=20000-", "");
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(bytes);
    }

    @Test
    void wrongBytesAreFetchedOnceMore() throws Exception {
        byte[] wrong = bytes.clone();
        wrong[LENGTH - 1] ^= 1;
        hub.once(WEIGHTS, reply -> new Reply(200, Map.of(), wrong));
        puller().pull();

        assertThat(ranges()).containsExactly("", "");
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(bytes);
    }

    @Test
    void aDamagedPartialIsThrownAway() throws Exception {
        for (int i = 0; i < 6; i++) {
            int cut = i == 0 ? 30_000 : 0;
            hub.once(WEIGHTS, reply -> reply.cutAfter(cut));
        }
        assertThatThrownBy(() -> puller().pull()).isInstanceOf(HubException.class);
        try (Stream<Path> files = Files.list(directory.resolve(".setun-pull"))) {
            Path partial = files.filter(file -> file.toString().endsWith(".partial"))
                    .findFirst()
                    .orElseThrow();
            byte[] damaged = Files.readAllBytes(partial);
            damaged[100] ^= 1;
            Files.write(partial, damaged);
        }
        hub.forgetRequests();
        puller().pull();

        assertThat(ranges()).containsExactly("bytes=30000-", "");
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(bytes);
    }

    @Test
    void bytesThatStayWrongAreAnErrorThatNamesBothChecksums() throws Exception {
        byte[] wrong = bytes.clone();
        wrong[0] ^= 1;
        hub.once(WEIGHTS, reply -> new Reply(200, Map.of(), wrong));
        hub.once(WEIGHTS, reply -> new Reply(200, Map.of(), wrong));

        assertThatThrownBy(() -> puller().pull())
                .isInstanceOf(HubException.class)
                .hasMessage(WEIGHTS + ": expected sha256:" + FakeHub.checksum(Checksum.Kind.SHA256, bytes)
                        + ", found sha256:" + FakeHub.checksum(Checksum.Kind.SHA256, wrong)
                        + ", twice; the file at the hub or a proxy on the way is damaged, try another endpoint or another"
                        + " network");
        assertThat(partialFiles()).isZero();
        assertThat(directory.resolve(WEIGHTS)).doesNotExist();
    }

    @Test
    void aFileInGitIsVerifiedByTheNameOfItsBlob() throws Exception {
        hub.put("config.json", "{\"a\":1}").commit();
        hub.once("config.json", reply -> Reply.of(200, Map.of(), "{\"a\":2}"));
        hub.once("config.json", reply -> Reply.of(200, Map.of(), "{\"a\":2}"));

        // echo -n '{"a":1}' | git hash-object --stdin
        assertThatThrownBy(
                        () -> new Puller(hub, directory).include("config.json").pull())
                .isInstanceOf(HubException.class)
                .hasMessageContaining("expected git-blob:daa5053ecf5f9a37b2de733d0751cc1ab53ac010")
                .hasMessageContaining("found git-blob:0053b8695ecb57068dca6f56fd5625f8c1d8685f");
    }

    @Test
    void aPageInPlaceOfTheFileIsNotTheFile() throws Exception {
        for (int i = 0; i < 2; i++) {
            hub.once(
                    WEIGHTS, reply -> Reply.of(200, Map.of("Content-Type", "text/html"), "<html>Please log in</html>"));
        }
        assertThatThrownBy(() -> puller().pull())
                .isInstanceOf(HubException.class)
                .hasMessageContaining(WEIGHTS + ": expected 50000 bytes, found 26, twice");
    }

    @Test
    void moreBytesThanListedAreNotTaken() throws Exception {
        byte[] more = Arrays.copyOf(bytes, LENGTH + 1);
        for (int i = 0; i < 2; i++) {
            hub.once(WEIGHTS, reply -> new Reply(200, Map.of(), more));
        }
        assertThatThrownBy(() -> puller().pull())
                .isInstanceOf(HubException.class)
                .hasMessageContaining("expected 50000 bytes, found 50001");
    }
}
