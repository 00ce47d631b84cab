package org.setun.cli;

import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.setun.hub.FileWishes;
import org.setun.hub.HubConnection;
import org.setun.hub.ModelPull;
import org.setun.hub.ModelReference;
import org.setun.hub.PullListener;
import org.setun.hub.PullRequest;
import org.setun.hub.PullResult;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Fetches a model from a hub. */
@Command(
        name = "pull",
        description = {
            "Fetches a model from a Hugging Face compatible hub, and prints the path to serve it by.",
            "Every file is verified; an interrupted pull goes on where it ended. Files appear when all are complete.",
            "HF_ENDPOINT names the hub, HF_TOKEN holds an access token, SETUN_MODELS is where models are kept;"
                    + " HTTPS_PROXY and NO_PROXY are respected."
        })
final class PullCommand implements Callable<Integer> {

    private static final String MODELS = "SETUN_MODELS";
    private static final double MEGABYTE = 1e6;
    private static final int PERCENT = 100;

    private final Map<String, String> environment;
    private final Path userHome;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "OWNER/NAME, OWNER/NAME@REVISION, or OWNER/NAME:QUANTISATION for one of several GGUF models.")
    private String model = "";

    @Option(names = "--revision", paramLabel = "REVISION", description = "A branch, a tag or a commit; default: main.")
    private @Nullable String revision;

    @Option(
            names = "--include",
            paramLabel = "GLOB",
            description = "Fetch the files that match, instead of what Setun loads; may be repeated.")
    private List<String> includes = new ArrayList<>();

    @Option(names = "--exclude", paramLabel = "GLOB", description = "Leave out files that match; may be repeated.")
    private List<String> excludes = new ArrayList<>();

    @Option(
            names = "--file",
            paramLabel = "NAME",
            description = "The file of weights to fetch, with its other parts and what belongs to it.")
    private @Nullable String file;

    @Option(
            names = "--dir",
            paramLabel = "DIRECTORY",
            description = "Where the files shall lie; default: OWNER/NAME in SETUN_MODELS or ~/.cache/setun/models.")
    private @Nullable Path directory;

    @Option(
            names = "--endpoint",
            paramLabel = "URL",
            description = "The hub; default: HF_ENDPOINT, else huggingface.co.")
    private @Nullable String endpoint;

    @Option(
            names = "--force",
            description = "Fetch again what is there, and overwrite files that were not pulled or were changed.")
    private boolean force;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print nothing but the path and errors.")
    private boolean quiet;

    PullCommand() {
        this(System.getenv(), Path.of(System.getProperty("user.home")));
    }

    PullCommand(Map<String, String> environment, Path userHome) {
        this.environment = environment;
        this.userHome = userHome;
    }

    @Override
    public Integer call() throws Exception {
        PullRequest request = request();
        PrintWriter err = spec.commandLine().getErr();
        PullResult result;
        try (ConsoleProgress progress = new ConsoleProgress("pulling")) {
            result = new ModelPull().pull(request, quiet ? PullListener.NONE : listener(progress, err));
        }
        if (!quiet) {
            err.printf(
                    "%s: %d files of commit %.12s, %,.1f MB of them fetched now, in %s%n",
                    request.model().repository(),
                    result.files(),
                    result.commit(),
                    result.fetchedBytes() / MEGABYTE,
                    result.directory());
            result.model().ifPresent(path -> err.printf("serve it with: setun serve --setun.model.path=%s%n", path));
            err.flush();
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(result.model().orElse(result.directory()));
        out.flush();
        return 0;
    }

    private PullRequest request() throws Exception {
        ModelReference reference;
        FileWishes wishes;
        @Nullable URI hub;
        try {
            reference = ModelReference.parse(model, revision);
            wishes = new FileWishes(includes, excludes, Optional.ofNullable(file));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        try {
            hub = endpoint == null ? null : HubConnection.endpoint(endpoint);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--endpoint: " + e.getMessage(), e);
        }
        HubConnection connection = HubConnection.of(hub, environment, userHome);
        Path target = directory == null ? models().resolve(reference.owner()).resolve(reference.name()) : directory;
        try {
            return new PullRequest(connection, reference, wishes, target, force);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private Path models() {
        String named = environment.getOrDefault(MODELS, "");
        return named.isBlank() ? userHome.resolve(".cache/setun/models") : Path.of(named);
    }

    private static PullListener listener(ConsoleProgress console, PrintWriter err) {
        return new PullListener() {
            @Override
            public void progress(Progress progress) {
                long percent =
                        progress.fileTotal() == 0 ? PERCENT : progress.fileDone() * PERCENT / progress.fileTotal();
                console.update(progress.file() + " " + percent + " %", progress.done(), progress.total());
            }

            @Override
            public void retrying(String what, String reason, Duration wait) {
                err.printf("%s: %s; trying again in %d s%n", what, reason, wait.toSeconds());
                err.flush();
            }

            @Override
            public void removed(String file) {
                err.printf("removed %s, which the model has no more%n", file);
                err.flush();
            }
        };
    }
}
