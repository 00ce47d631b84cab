package org.setun.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.setun.operations.Dockerfile.Instruction;
import org.setun.operations.Dockerfile.Stage;

/** The Dockerfile keeps to what images are expected to keep to. */
final class DockerfileTest {

    private static final Path FILE = Path.of("Dockerfile");
    private static final Pattern PINNED = Pattern.compile("[a-z0-9./-]+:\\d+\\.\\d[\\w.-]*(@sha256:[0-9a-f]{64})?");

    private Dockerfile dockerfile;
    private Stage last;

    @BeforeEach
    void read() throws Exception {
        dockerfile = Dockerfile.read(FILE);
        last = dockerfile.stages().getLast();
    }

    @Test
    void everyImageIsOneOfAVersion() {
        assertThat(dockerfile.stages()).extracting(Stage::image).allMatch(PINNED.asMatchPredicate());
    }

    @Test
    void nothingIsForOneArchitecture() throws Exception {
        assertThat(Files.readAllLines(FILE))
                .filteredOn(line -> !line.startsWith("#"))
                .noneMatch(line -> line.matches("(?i).*(amd64|x86|arm64|aarch64).*"));
    }

    @Test
    void theProcessIsTheJvmAndRunsAsNobody() {
        assertThat(last.only("USER").text()).matches("[1-9]\\d+:[1-9]\\d+");
        assertThat(last.only("ENTRYPOINT").exec().getFirst()).endsWith("/bin/java");
        assertThat(last.only("CMD").exec()).containsExactly("serve");
        assertThat(last.only("HEALTHCHECK").healthCommand()).endsWith("health");
        assertThat(last.only("STOPSIGNAL").text()).isEqualTo("SIGTERM");
        assertThat(last.only("EXPOSE").text()).isEqualTo("8080");
        assertThat(last.only("VOLUME").text()).isEqualTo("/models");
        // It is copied together, so that nothing of the build is left in it.
        assertThat(last.all("RUN")).isEmpty();
    }

    @Test
    void labelsSayWhatItIs() throws Exception {
        Map<String, String> labels = last.only("LABEL").pairs();
        assertThat(labels.keySet()).allMatch(name -> name.startsWith("org.opencontainers.image."));
        assertThat(labels)
                .containsEntry("org.opencontainers.image.version", "${VERSION}")
                .containsEntry("org.opencontainers.image.revision", "${REVISION}")
                .containsEntry("org.opencontainers.image.created", "${CREATED}");
        String version = last.all("ARG").stream()
                .map(Instruction::pairs)
                .filter(pairs -> pairs.containsKey("VERSION"))
                .map(pairs -> pairs.get("VERSION"))
                .findFirst()
                .orElseThrow();
        assertThat(Files.readString(Path.of("pom.xml")))
                .contains("<artifactId>setun</artifactId>\n  <version>" + version + "</version>");
    }

    @Test
    void packagesAreInstalledWithoutThoseThatAreOnlyRecommended() {
        List<Instruction> installing = dockerfile.stages().stream()
                .flatMap(stage -> stage.all("RUN").stream())
                .filter(run -> run.text().contains("apt-get install"))
                .toList();
        assertThat(installing).hasSize(1);
        assertThat(installing.getFirst().text())
                .startsWith("apt-get update")
                .contains("apt-get install --yes --no-install-recommends ");
    }

    @Test
    void whatIsCopiedFromTheCheckoutReachesTheBuilder() throws Exception {
        DockerIgnore ignore = new DockerIgnore(Path.of(".dockerignore"));
        List<String> sources = dockerfile.stages().stream()
                .flatMap(stage -> stage.all("COPY").stream())
                .filter(copy -> copy.flag("from").isEmpty())
                .flatMap(copy -> {
                    List<String> words = List.of(copy.text().split("\\s+"));
                    return words.subList(0, words.size() - 1).stream();
                })
                .toList();
        assertThat(sources).isNotEmpty().allSatisfy(source -> {
            assertThat(Path.of(source)).exists();
            assertThat(ignore.includes(Path.of(source))).as(source).isTrue();
        });
        assertThat(ignore.includes(Path.of("target/setun.jar"))).isFalse();
        assertThat(ignore.includes(Path.of("src/test/java/org/setun/ArchitectureTest.java")))
                .isFalse();
        assertThat(ignore.includes(Path.of(".git/config"))).isFalse();
        assertThat(ignore.includes(Path.of("src/main/java/org/setun/Launcher.java")))
                .isTrue();
    }
}
