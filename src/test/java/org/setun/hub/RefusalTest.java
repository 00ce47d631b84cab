package org.setun.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.setun.hub.FakeHub.Reply;

/** What a user reads when the hub refuses, and how a busy one is waited for. */
@Timeout(60)
final class RefusalTest {

    private static final String NOW = "Mon, 02 Nov 2026 10:00:00 GMT";

    @TempDir
    private Path directory;

    private FakeHub hub;

    @BeforeEach
    void start() throws Exception {
        hub = FakeHub.start(Puller.REPOSITORY);
        hub.put("config.json", "{}").put("model.safetensors", "w").commit();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private String message(Puller puller) {
        HubException thrown = assertThatThrownBy(puller::pull)
                .asInstanceOf(InstanceOfAssertFactories.type(HubException.class))
                .actual();
        assertThat(thrown).message().doesNotContain("hf_secret").doesNotContain("\n");
        return String.valueOf(thrown.getMessage());
    }

    @Test
    void aMissingModelMayBeAPrivateOne() {
        assertThat(message(new Puller(hub, directory).model("no/body")))
                .isEqualTo(
                        "no/body: the hub " + hub.endpoint() + " has no such model, or it is private; check the name,"
                                + " and set HF_TOKEN if it is private (the hub says: Invalid username or password.)");
        assertThat(message(new Puller(hub, directory).model("no/body").token("hf_secret")))
                .contains("check the name, and whether the access token is valid and may read it");
    }

    @Test
    void aMissingModelIsRecognisedWithoutTheHubsOwnCode() {
        for (int status : new int[] {401, 404}) {
            hub.once("/api/", reply -> Reply.of(status, Map.of(), ""));
            assertThat(message(new Puller(hub, directory))).contains("has no such model, or it is private");
        }
    }

    @Test
    void aMissingRevisionIsNamed() {
        assertThat(message(new Puller(hub, directory).model("acme/tern-1b@v9")))
                .isEqualTo(
                        "acme/tern-1b: it has no revision v9; name a branch, a tag or a commit that it has (the hub says:"
                                + " Invalid rev id: v9)");
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403})
    void aGatedModelSaysWhereToAcceptItsConditions(int status) {
        hub.once("/resolve/", reply -> Reply.of(status, Map.of("X-Error-Code", "GatedRepo"), ""));
        assertThat(message(new Puller(hub, directory)))
                .isEqualTo("acme/tern-1b: it is gated; accept its conditions at " + hub.endpoint()
                        + "/acme/tern-1b and set HF_TOKEN to an access token of yours");
        hub.once("/resolve/", reply -> Reply.of(status, Map.of("X-Error-Code", "GatedRepo"), ""));
        assertThat(message(new Puller(hub, directory).token("hf_secret")))
                .contains("your account has no access yet; accept its conditions at");
    }

    @Test
    void otherRefusalsSayWhatToDo() {
        hub.once("/api/", reply -> Reply.of(403, Map.of(), ""));
        assertThat(message(new Puller(hub, directory).token("hf_secret"))).contains("give it the right to read");
        hub.once(
                "/api/", reply -> Reply.of(403, Map.of("X-Error-Message", "Access to this resource is disabled."), ""));
        assertThat(message(new Puller(hub, directory))).contains("the hub has disabled it");
        hub.once("/resolve/", reply -> Reply.of(404, Map.of("X-Error-Code", "EntryNotFound"), ""));
        assertThat(message(new Puller(hub, directory))).contains("has no file config.json any more; pull again");
        hub.once("/api/", reply -> Reply.of(418, Map.of(), ""));
        assertThat(message(new Puller(hub, directory))).contains("found status 418; check the endpoint");
    }

    @Test
    void whatTheHubSaysIsShownWithoutWhatDoesNotPrint() {
        hub.once("/api/", reply -> Reply.of(403, Map.of("X-Error-Message", "a \u00adb"), ""));
        assertThat(message(new Puller(hub, directory))).endsWith("(the hub says: a ?b)");
    }

    @Test
    void anAnswerThatIsNoListingIsNotAHubs() {
        hub.once("/api/", reply -> Reply.of(200, Map.of(), "<html>"));
        assertThat(message(new Puller(hub, directory))).contains("expected a list of files in JSON");
    }

    @Test
    void redirectsEndSomewhere() {
        for (int i = 0; i < 20; i++) {
            hub.once("/api/", reply -> Reply.of(302, Map.of("Location", "/api/again"), ""));
        }
        assertThat(message(new Puller(hub, directory))).contains("expected at most 10 redirects, found more");
        hub.forgetRules();
        hub.once("/api/", reply -> Reply.of(302, Map.of("Location", "file:///etc/passwd"), ""));
        assertThat(message(new Puller(hub, directory))).contains("expected a redirect to an https address");
    }

    @ParameterizedTest
    @CsvSource({
        "429, Retry-After, 7, 7",
        "503, Retry-After, 'Mon, 02 Nov 2026 10:01:30 GMT', 90",
        "429, RateLimit, '\"api\";r=0;t=55', 55",
        "500, X-None, x, 1",
        "429, Retry-After, soon, 1"
    })
    void aBusyHubIsAskedAgainWhenItSays(int status, String header, String value, long seconds) throws Exception {
        for (String path : new String[] {"/api/", "/resolve/"}) {
            hub.once(path, reply -> Reply.of(status, Map.of(header, value, "Date", NOW), ""));
        }
        Puller puller = new Puller(hub, directory);
        puller.pull();

        assertThat(puller.waits).containsExactly(Duration.ofSeconds(seconds), Duration.ofSeconds(seconds));
        assertThat(puller.reasons.getFirst()).contains(" answered " + status);
    }

    @Test
    void aHubThatAsksForTooLongAWaitIsLeft() {
        hub.once("/api/", reply -> Reply.of(429, Map.of("Retry-After", "3600"), ""));
        Puller puller = new Puller(hub, directory);
        assertThat(message(puller)).contains("answered 429, too many requests and asks to wait 3600 s");
        assertThat(puller.waits).isEmpty();
    }

    @Test
    void aHubThatIsNotThereIsSaidAfterAFewTries() throws Exception {
        FakeHub gone = FakeHub.start("a/b");
        gone.close();
        Puller puller = new Puller(gone, directory);
        assertThat(message(puller))
                .startsWith(gone.endpoint() + ": no connection to " + gone.endpoint() + " (")
                .contains("3 more times");
        assertThat(puller.waits).hasSize(3);
    }
}
