package org.setun.cli;

import java.io.PrintWriter;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.cli.load.LoadTestException;
import org.setun.hub.HubException;
import org.setun.tokenizer.TokenizerFormatException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * The command line: {@code setun [serve|pull|convert|inspect|logits|generate|chat|perplexity|bench|aot-cache|health]}. Exit codes: 0 for success, 1 where a
 * model, a file or the network is at fault, 2 where the command line is.
 */
@Command(
        name = "setun",
        description = {
            "Serves ternary sparse language models.",
            "Without a command, serves the model that ships; every argument is then one of serve's."
        },
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = SetunCommand.Version.class,
        subcommands = {
            PullCommand.class,
            ConvertCommand.class,
            InspectCommand.class,
            LogitsCommand.class,
            GenerateCommand.class,
            ChatCommand.class,
            PerplexityCommand.class,
            BenchCommand.class,
            AotCacheCommand.class,
            HealthCommand.class,
        })
public final class SetunCommand implements Runnable {

    private static final int EXIT_FAILED = 1;
    private static final String SERVE = "serve";
    private static final Set<String> OWN_OPTIONS = Set.of("-h", "--help", "-V", "--version");
    private static final Pattern SETTING = Pattern.compile("--[\\w-]+\\.[^=]+=");
    private static final String LOG_LEVEL = "setun.log.level";

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Show what is being done and, after a failure, where.")
    private boolean verbose;

    private SetunCommand() {}

    /**
     * Runs a command line.
     *
     * @param arguments the words after the program's name
     * @param server starts the server with its arguments, and returns while it goes on
     * @return the exit code; empty if the server runs and ends the process itself
     */
    public static OptionalInt run(String[] arguments, Consumer<String[]> server) {
        String[] completed = withCommand(arguments);
        if (namesOnlySettings(completed)) {
            System.setProperty(LOG_LEVEL, "INFO");
            server.accept(Arrays.copyOfRange(completed, 1, completed.length));
            return OptionalInt.empty();
        }
        SetunCommand top = new SetunCommand();
        ServeCommand serve = new ServeCommand(server);
        CommandLine commandLine = new CommandLine(top).addSubcommand(SERVE, serve);
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setExecutionExceptionHandler(
                (exception, failed, parsed) -> top.explain(exception, failed.getErr()));
        commandLine.setExecutionStrategy(parsed -> {
            System.setProperty(
                    LOG_LEVEL, top.verbose ? "DEBUG" : parsed.hasSubcommand() && serving(parsed) ? "INFO" : "WARN");
            return new CommandLine.RunLast().execute(parsed);
        });
        int exitCode = commandLine.execute(completed);
        return serve.started() && exitCode == 0 ? OptionalInt.empty() : OptionalInt.of(exitCode);
    }

    private static boolean serving(CommandLine.ParseResult parsed) {
        return parsed.subcommand().commandSpec().name().equals(SERVE);
    }

    /**
     * Returns whether a command line is {@code serve} with settings alone, such as {@code --server.port=8081}: there is nothing to be
     * parsed, and the server starts without the parser, which takes a tenth of the time until then.
     */
    private static boolean namesOnlySettings(String[] arguments) {
        return arguments[0].equals(SERVE)
                && Arrays.stream(arguments)
                        .skip(1)
                        .allMatch(argument -> SETTING.matcher(argument).lookingAt());
    }

    /** Puts {@code serve} before arguments that name no command, such as Spring's own. */
    private static String[] withCommand(String[] arguments) {
        boolean named = arguments.length > 0 && (!arguments[0].startsWith("-") || OWN_OPTIONS.contains(arguments[0]));
        if (named) {
            return arguments;
        }
        List<String> completed = new ArrayList<>(List.of(SERVE));
        completed.addAll(Arrays.asList(arguments));
        return completed.toArray(String[]::new);
    }

    @Override
    public void run() {
        CommandLine.usage(this, System.out);
    }

    /** Says in one sentence what went wrong. */
    private int explain(Exception exception, PrintWriter err) {
        switch (exception) {
            case CheckpointFormatException e -> err.println("setun: " + e.getMessage());
            case LoadTestException e -> err.println("setun: " + e.getMessage());
            case HubException e -> err.println("setun: " + e.getMessage());
            case TokenizerFormatException e -> err.println("setun: " + e.getMessage());
            case InvalidTextException e -> err.println("setun: " + e.getMessage());
            case NoSuchFileException e -> err.println("setun: " + e.getFile() + ": no such file or directory");
            default -> err.println("setun: " + exception.getClass().getSimpleName() + ": " + exception.getMessage());
        }
        if (verbose) {
            exception.printStackTrace(err);
        }
        return EXIT_FAILED;
    }

    /** Tells the version of the build. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = SetunCommand.class.getPackage().getImplementationVersion();
            return new String[] {"setun " + (version == null ? "(development build)" : version)};
        }
    }
}
