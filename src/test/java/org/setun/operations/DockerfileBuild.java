package org.setun.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.setun.operations.Dockerfile.Instruction;
import org.setun.operations.Dockerfile.Stage;
import org.setun.operations.Programs.Result;

/**
 * Does what a Dockerfile says where no builder of images runs: its stages in their order, each in a root directory of its own, on this
 * machine's system in place of the base images. What the image has at {@code /opt} lies at {@code ROOT/opt}; every stage has the same
 * ROOT while it runs, since caches of the JVM know where they were made. So that nothing is touched outside, commands have no absolute
 * path but in variables, and the package manager is a program that only notes what it is asked for.
 */
final class DockerfileBuild {

    /** An absolute path in a command: at its beginning, or after a space, a quote, an equals sign or a colon. */
    private static final Pattern ABSOLUTE = Pattern.compile("(^|[\\s\"'=:])/\\w");

    /** An absolute path in a word of a command in exec form, such as {@code @/opt} or {@code -Dname=/opt}. */
    private static final Pattern PATH_IN_WORD = Pattern.compile("(^|[@=])/");

    private final Path checkout;
    private final Path sandbox;
    private final Path root;
    private final DockerIgnore ignore;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private Path directory;

    private DockerfileBuild(Path checkout, Path sandbox) throws IOException {
        this.checkout = checkout;
        this.sandbox = sandbox;
        this.root = sandbox.resolve("root");
        this.directory = root;
        this.ignore = new DockerIgnore(checkout.resolve(".dockerignore"));
    }

    /**
     * What was built.
     *
     * @param root the directory that stands for the image's own
     * @param environment the image's, with paths as they are here
     * @param directory in which its process starts
     * @param stage what the image is told to be
     * @param packages what the package manager was asked for
     */
    record Image(Path root, Map<String, String> environment, Path directory, Stage stage, String packages) {

        /** Returns a command in exec form with its paths as they are here. */
        List<String> here(List<String> command) {
            return command.stream()
                    .map(word -> PATH_IN_WORD.matcher(word).replaceAll("$1" + root + "/"))
                    .toList();
        }
    }

    /**
     * Builds the image.
     *
     * @param javaHome the JDK that stands for the build stage's
     */
    static Image build(Path checkout, Path sandbox, Path javaHome) throws IOException, InterruptedException {
        Dockerfile dockerfile = Dockerfile.read(checkout.resolve("Dockerfile"));
        Path programs = Files.createDirectories(sandbox.resolve("bin"));
        Path asked = sandbox.resolve("packages.txt");
        Path packageManager =
                Files.writeString(programs.resolve("apt-get"), "#!/bin/sh\necho \"$@\" >> '" + asked + "'\n");
        Files.setPosixFilePermissions(packageManager, PosixFilePermissions.fromString("rwxr-xr-x"));
        DockerfileBuild build = new DockerfileBuild(checkout, sandbox);
        for (Stage stage : dockerfile.stages()) {
            build.environment.clear();
            build.environment.put("JAVA_HOME", javaHome.toString());
            build.environment.put("PATH", programs + ":" + System.getenv("PATH"));
            Files.createDirectories(build.root);
            build.directory = build.root;
            build.run(stage);
            if (!stage.equals(dockerfile.stages().getLast())) {
                Files.move(build.root, build.left(stage.name()));
            }
        }
        build.environment.remove("JAVA_HOME");
        build.environment.remove("PATH");
        return new Image(
                build.root,
                Map.copyOf(build.environment),
                build.directory,
                dockerfile.stages().getLast(),
                Files.readString(asked));
    }

    private Path left(String stage) {
        return sandbox.resolve("stage-" + stage);
    }

    private void run(Stage stage) throws IOException, InterruptedException {
        for (Instruction instruction : stage.instructions()) {
            switch (instruction.keyword()) {
                case "RUN" -> shell(instruction);
                case "COPY" -> copy(instruction);
                case "WORKDIR" -> directory = Files.createDirectories(inRoot(instruction.text()));
                case "ENV" ->
                    instruction
                            .pairs()
                            .forEach((name, value) -> environment.put(
                                    name, value.startsWith("/") ? inRoot(value).toString() : value));
                case "ARG", "LABEL", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD" -> {
                    // What an image is told to be, which DockerfileTest reads.
                }
                default -> throw new AssertionError("not understood: " + instruction);
            }
        }
    }

    private Path inRoot(String path) {
        return path.startsWith("/") ? root.resolve(path.substring(1)) : directory.resolve(path);
    }

    private void shell(Instruction run) throws IOException, InterruptedException {
        assertThat(run.flags()).allSatisfy(flag -> {
            assertThat(flag.getKey()).isEqualTo("mount");
            assertThat(flag.getValue()).matches("type=cache,(sharing=locked,)?target=/[\\w./-]+");
        });
        assertThat(ABSOLUTE.matcher(run.text()).find())
                .as("an absolute path in: RUN %s", run.text())
                .isFalse();
        Result result = Programs.run(directory, environment, List.of("/bin/sh", "-ec", run.text()));
        assertThat(result.exitCode())
                .as("RUN %s%n%s", run.text(), result.output())
                .isZero();
    }

    private void copy(Instruction copy) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(copy.text().split("\\s+")));
        String to = words.removeLast();
        for (String from : words) {
            boolean ofStage = copy.flag("from").isPresent();
            Path source =
                    ofStage ? left(copy.flag("from").orElseThrow()).resolve(from.substring(1)) : checkout.resolve(from);
            // The content of a directory, or a file into one.
            Path target = Files.isDirectory(source) ? inRoot(to) : inRoot(to).resolve(source.getFileName());
            assertThat(to).as("the target of %s", copy).endsWith("/");
            copy(source, target.normalize(), !ofStage);
        }
        if (copy.flag("chown").isPresent() && runsAsRoot()) {
            Programs.run(
                            directory,
                            Map.of(),
                            List.of(
                                    "chown",
                                    "-R",
                                    copy.flag("chown").orElseThrow(),
                                    inRoot(to).toString()))
                    .succeeded();
        }
    }

    static boolean runsAsRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    private void copy(Path source, Path target, boolean fromCheckout) throws IOException {
        Files.walkFileTree(source, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                Path made = Files.createDirectories(
                        target.resolve(source.relativize(directory).toString()));
                Files.setPosixFilePermissions(made, Files.getPosixFilePermissions(directory));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (!fromCheckout || ignore.includes(checkout.relativize(file))) {
                    Path copied = file.equals(source)
                            ? target
                            : target.resolve(source.relativize(file).toString());
                    Files.createDirectories(copied.getParent());
                    Files.copy(file, copied, StandardCopyOption.COPY_ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** Takes everyone's right to write to all files below a directory. */
    static void makeReadOnly(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            files.filter(file -> !Files.isSymbolicLink(file)).forEach(file -> {
                try {
                    var permissions = Files.getPosixFilePermissions(file);
                    permissions.removeIf(permission -> permission.name().endsWith("_WRITE"));
                    Files.setPosixFilePermissions(file, permissions);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
