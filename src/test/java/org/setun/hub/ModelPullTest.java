package org.setun.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

/** What a pull leaves in a directory, and what it asks for that. */
@Timeout(120)
final class ModelPullTest {

    private static final String WEIGHTS = "model.safetensors";

    @TempDir
    private Path temporary;

    private FakeHub hub;
    private FakeHub storage;
    private Path directory;

    @BeforeEach
    void start() throws Exception {
        storage = FakeHub.start("none/none");
        hub = FakeHub.start(Puller.REPOSITORY).storage(storage);
        directory = temporary.resolve("models/acme/tern-1b");
    }

    @AfterEach
    void stop() {
        hub.close();
        storage.close();
    }

    private static byte[] weights(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private String commitModel(long seed) {
        return hub.put("config.json", "{\"seed\":" + seed + "}")
                .put("tokenizer.json", "{}")
                .put("README.md", "A model.")
                .put("pytorch_model.bin", "a pickle")
                .putLarge(WEIGHTS, weights(seed, 100_000))
                .commit();
    }

    private List<String> files() throws Exception {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> directory.relativize(file).toString().replace('\\', '/'))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void bringsWhatALoaderNeedsAndNothingElse() throws Exception {
        String commit = commitModel(1);
        Puller puller = new Puller(hub, directory);
        PullResult result = puller.pull();

        assertThat(files())
                .containsExactly(
                        ".setun-pull/lock",
                        ".setun-pull/manifest.json",
                        "README.md",
                        "config.json",
                        WEIGHTS,
                        "tokenizer.json");
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(weights(1, 100_000));
        assertThat(directory.resolve("config.json")).hasContent("{\"seed\":1}");
        assertThat(result.commit()).isEqualTo(commit);
        assertThat(result.model()).contains(directory);
        assertThat(result.files()).isEqualTo(4);
        assertThat(result.fetchedBytes()).isEqualTo(100_000 + 10 + 2 + 8);
        PullListener.Progress last = puller.progress.getLast();
        assertThat(last).isEqualTo(new PullListener.Progress(WEIGHTS, 100_000, 100_000, 100_020, 100_020));
        assertThat(puller.progress).extracting(PullListener.Progress::done).isSorted();
        assertThat(puller.waits).isEmpty();
    }

    @Test
    void asksForEveryFileByTheCommitOfTheListing() throws Exception {
        String commit = commitModel(1);
        hub.once("/api/", reply -> {
            // A push right after the listing.
            commitModel(2);
            return reply;
        });
        new Puller(hub, directory).pull();

        assertThat(hub.requests())
                .extracting(FakeHub.Request::path)
                .startsWith("/api/models/acme/tern-1b/revision/main?blobs=true")
                .filteredOn(path -> !path.startsWith("/api/"))
                .allMatch(path -> path.startsWith("/acme/tern-1b/resolve/" + commit + "/"));
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(weights(1, 100_000));
    }

    @Test
    void takesTheRevisionThatIsNamed() throws Exception {
        hub.put("config.json", "{}").put(WEIGHTS, "proposed");
        String commit = hub.commit("refs/pr/1");
        PullResult result =
                new Puller(hub, directory).model("acme/tern-1b@refs/pr/1").pull();

        assertThat(result.commit()).isEqualTo(commit);
        assertThat(hub.requests().getFirst().path())
                .isEqualTo("/api/models/acme/tern-1b/revision/refs%2Fpr%2F1?blobs=true");
    }

    @Test
    void theTokenGoesToTheHubAndNeverToItsStorage() throws Exception {
        commitModel(1);
        new Puller(hub, directory).token("hf_secret").pull();

        assertThat(hub.requests())
                .extracting(request -> request.header("Authorization"))
                .containsOnly("Bearer hf_secret");
        assertThat(storage.requests()).hasSize(1);
        assertThat(storage.requests().getFirst().headers()).doesNotContainKey("authorization");
        assertThat(storage.requests().getFirst().headers().toString()).doesNotContain("hf_secret");
    }

    @Test
    void theTokenStaysAwayWhenTheStorageRedirectsBack() throws Exception {
        commitModel(1);
        storage.once("/stored/", reply -> Reply.of(302, Map.of("Location", hub.endpoint() + "/elsewhere"), ""));
        assertThatThrownBy(() -> new Puller(hub, directory).token("hf_secret").pull())
                .isInstanceOf(HubException.class);

        assertThat(hub.requestsFor("/elsewhere")).hasSize(1);
        assertThat(hub.requestsFor("/elsewhere").getFirst().headers()).doesNotContainKey("authorization");
    }

    @Test
    void aRenamedRepositoryIsFollowedWithTheToken() throws Exception {
        commitModel(1);
        String renamed = "/api/models/acme/tern-1b/revision/main?blobs=true";
        hub.once("/api/models/old/name", reply -> Reply.of(307, Map.of("Location", renamed), "Moved"));
        hub.once("/api/models/acme", reply -> Reply.of(307, Map.of("Location", "/api/models/old/name"), "Moved"));
        new Puller(hub, directory).token("hf_secret").pull();

        assertThat(hub.requests().get(2).path()).isEqualTo(renamed);
        assertThat(hub.requests().get(2).header("Authorization")).isEqualTo("Bearer hf_secret");
    }

    @Test
    void aSecondPullFetchesNothing() throws Exception {
        commitModel(1);
        new Puller(hub, directory).pull();
        hub.forgetRequests();
        PullResult result = new Puller(hub, directory).pull();

        assertThat(hub.requests()).hasSize(1);
        assertThat(result.fetchedBytes()).isZero();
        assertThat(result.files()).isEqualTo(4);
    }

    @Test
    void filesThatLieThereAlreadyAreReadNotFetched() throws Exception {
        commitModel(1);
        Files.createDirectories(directory);
        Files.write(directory.resolve(WEIGHTS), weights(1, 100_000));
        PullResult result = new Puller(hub, directory).pull();

        assertThat(storage.requests()).isEmpty();
        assertThat(result.fetchedBytes()).isEqualTo(20);
    }

    @Test
    void filesOfTheUsersOwnAreNotOverwritten() throws Exception {
        commitModel(1);
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), "{\"mine\":1}");

        assertThatThrownBy(() -> new Puller(hub, directory).pull())
                .isInstanceOf(HubException.class)
                .hasMessage(directory.resolve("config.json")
                        + ": expected the hub's file or nothing, found another file, which was not pulled or was changed"
                        + " since; move it away, choose another --dir, or overwrite it with --force");
        assertThat(directory.resolve("config.json")).hasContent("{\"mine\":1}");
        new Puller(hub, directory).force().pull();
        assertThat(directory.resolve("config.json")).hasContent("{\"seed\":1}");
    }

    @Test
    void aPulledFileThatWasChangedIsTheUsersOwn() throws Exception {
        commitModel(1);
        new Puller(hub, directory).pull();
        Files.writeString(directory.resolve("config.json"), "{\"changed\":true}");

        assertThatThrownBy(() -> new Puller(hub, directory).pull())
                .isInstanceOf(HubException.class)
                .hasMessageContaining("config.json")
                .hasMessageContaining("changed since");
    }

    @Test
    void forceFetchesAgain() throws Exception {
        commitModel(1);
        new Puller(hub, directory).pull();
        PullResult result = new Puller(hub, directory).force().pull();

        assertThat(result.fetchedBytes()).isEqualTo(100_020);
        assertThat(storage.requests()).hasSize(2);
    }

    @Test
    void aNewVersionReplacesTheOldOneWhole() throws Exception {
        commitModel(1);
        new Puller(hub, directory).pull();
        hub.remove(WEIGHTS)
                .put("config.json", "{\"seed\":2}")
                .put("model.safetensors.index.json", "{}")
                .putLarge("model-00001-of-00002.safetensors", weights(3, 10))
                .putLarge("model-00002-of-00002.safetensors", weights(4, 10))
                .commit();
        hub.forgetRequests();
        Puller puller = new Puller(hub, directory);
        puller.pull();

        // The old single file would be loaded instead of the parts.
        assertThat(directory.resolve(WEIGHTS)).doesNotExist();
        assertThat(puller.removed).containsExactly(WEIGHTS);
        assertThat(directory.resolve("config.json")).hasContent("{\"seed\":2}");
        assertThat(directory.resolve("model-00002-of-00002.safetensors")).hasBinaryContent(weights(4, 10));
        assertThat(hub.requestsFor("/tokenizer.json")).isEmpty();
    }

    @Test
    void aSecondQuantisationJoinsTheFirst() throws Exception {
        hub.put("config.json", "{}")
                .putLarge("tern-TQ2_0.gguf", weights(1, 100))
                .putLarge("tern-TQ1_0.gguf", weights(2, 100))
                .commit();
        PullResult first =
                new Puller(hub, directory).model("acme/tern-1b:TQ2_0").pull();
        PullResult second =
                new Puller(hub, directory).model("acme/tern-1b:tq1_0").pull();

        assertThat(first.model()).contains(directory);
        // The directory alone no longer says which.
        assertThat(second.model()).contains(directory.resolve("tern-TQ1_0.gguf"));
        assertThat(files()).contains("tern-TQ2_0.gguf", "tern-TQ1_0.gguf");
    }

    @Test
    void filesThatWouldStayOfAnotherVersionAreRefused() throws Exception {
        hub.putLarge("tern-TQ2_0.gguf", weights(1, 100))
                .putLarge("tern-TQ1_0.gguf", weights(2, 100))
                .commit();
        new Puller(hub, directory).model("acme/tern-1b:TQ2_0").pull();
        hub.putLarge("tern-TQ2_0.gguf", weights(3, 100))
                .putLarge("tern-TQ1_0.gguf", weights(4, 100))
                .commit();

        assertThatThrownBy(() ->
                        new Puller(hub, directory).model("acme/tern-1b:TQ1_0").pull())
                .isInstanceOf(HubException.class)
                .hasMessageContaining("tern-TQ2_0.gguf is of commit")
                .hasMessageContaining("--force");
        assertThat(directory.resolve("tern-TQ2_0.gguf")).hasBinaryContent(weights(1, 100));
        new Puller(hub, directory).include("*.gguf").pull();
        assertThat(directory.resolve("tern-TQ2_0.gguf")).hasBinaryContent(weights(3, 100));
    }

    @Test
    void anotherModelInTheDirectoryIsLeftAlone() throws Exception {
        commitModel(1);
        new Puller(hub, directory).pull();
        try (FakeHub other = FakeHub.start("other/model")) {
            other.put("config.json", "{}").put(WEIGHTS, "w").commit();
            assertThatThrownBy(() ->
                            new Puller(other, directory).model("other/model").pull())
                    .isInstanceOf(HubException.class)
                    .hasMessage(
                            directory + ": expected other/model, found acme/tern-1b; choose another --dir, or replace"
                                    + " that model with --force");
            new Puller(other, directory).model("other/model").force().pull();
        }
        assertThat(files()).containsExactly(".setun-pull/lock", ".setun-pull/manifest.json", "config.json", WEIGHTS);
    }

    @Test
    void aPullThatEndsWhileFilesMoveLeavesNothingToLoad() throws Exception {
        commitModel(1);
        new Puller(hub, directory).include("config.json", WEIGHTS).pull();
        hub.putLarge(WEIGHTS, weights(2, 500)).put("notes/a.txt", "in the way").commit();
        Path obstacle = Files.writeString(directory.resolve("notes"), "the user's own");
        String[] globs = {"config.json", WEIGHTS, "notes/*"};
        assertThatThrownBy(() -> new Puller(hub, directory).include(globs).pull())
                .isInstanceOf(java.io.IOException.class);

        // The configuration did not change, but would now stand beside weights of either version.
        assertThat(directory.resolve("config.json")).doesNotExist();
        Files.delete(obstacle);
        hub.forgetRequests();
        PullResult result = new Puller(hub, directory).include(globs).pull();
        assertThat(hub.requests()).hasSize(1);
        assertThat(result.fetchedBytes()).isZero();
        assertThat(directory.resolve("config.json")).hasContent("{\"seed\":1}");
        assertThat(directory.resolve(WEIGHTS)).hasBinaryContent(weights(2, 500));
    }

    @Test
    void nothingAppearsBeforeAllIsThere() throws Exception {
        commitModel(1);
        storage.once("/stored/", reply -> Reply.of(404, Map.of(), ""));
        assertThatThrownBy(() -> new Puller(hub, directory).pull()).isInstanceOf(HubException.class);

        assertThat(files()).allMatch(file -> file.startsWith(".setun-pull/"));
    }

    @Test
    void aSecondPullIntoTheSameDirectoryIsTurnedAway() throws Exception {
        commitModel(1);
        Files.createDirectories(directory.resolve(".setun-pull"));
        try (FileChannel lock = FileChannel.open(
                directory.resolve(".setun-pull/lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            assertThat(lock.tryLock()).isNotNull();
            assertThatThrownBy(() -> new Puller(hub, directory).pull())
                    .isInstanceOf(HubException.class)
                    .hasMessage(directory + ": expected one pull at a time, found another one at work; wait for it, or"
                            + " choose another --dir");
        }
        new Puller(hub, directory).pull();
    }

    @Test
    void aDiskThatIsTooFullIsSeenBeforeAnythingIsFetched() throws Exception {
        hub.put("config.json", "{}").put(WEIGHTS, weights(1, 3_500_000)).commit();
        assertThatThrownBy(() -> new Puller(hub, directory).freeSpace(2_000_000).pull())
                .isInstanceOf(HubException.class)
                .hasMessage(
                        directory + ": expected 4 MB of free space, found 2 MB; free some, or choose a --dir on another"
                                + " disk");
        assertThat(hub.requests()).hasSize(1);
    }

    @Test
    void emptyFilesAndFilesOfEqualContentAreBrought() throws Exception {
        hub.put("a.txt", "")
                .put("b.txt", "")
                .put("sub/c d+é.txt", "x")
                .put("sub/e.txt", "x")
                .commit();
        PullResult result = new Puller(hub, directory).include("*.txt").pull();

        assertThat(files()).contains("a.txt", "b.txt", "sub/c d+é.txt", "sub/e.txt");
        assertThat(result.model()).isEmpty();
        assertThat(hub.requests().getLast().path()).endsWith("/sub/e.txt");
        assertThat(hub.requests().get(1).path()).endsWith("/sub/c%20d%2B%C3%A9.txt");
    }

    @Test
    void aHostileNameIsRefusedBeforeAnythingIsWritten() throws Exception {
        hub.put("../../evil.json", "gotcha").commit();
        assertThatThrownBy(() -> new Puller(hub, directory).include("*").pull())
                .isInstanceOf(HubException.class)
                .hasMessageContaining("../../evil.json")
                .hasMessageContaining("leads out of its directory");
        assertThat(temporary).isEmptyDirectory();
    }

    @Test
    void aDamagedManifestOnlyCostsReadingTheFiles() throws Exception {
        commitModel(1);
        new Puller(hub, directory).pull();
        Files.writeString(directory.resolve(".setun-pull/manifest.json"), "{\"files\": [{}");
        assertThat(new Puller(hub, directory).pull().fetchedBytes()).isZero();
    }
}
