package org.setun.cli;

import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.GenerationDefaults;
import org.setun.architecture.LoadedModel;
import org.setun.cli.chat.ChatConsole;
import org.setun.cli.chat.ChatModel;
import org.setun.cli.chat.ChatServer;
import org.setun.cli.chat.ChatSession;
import org.setun.cli.chat.ChatSettings;
import org.setun.cli.chat.PipeConsole;
import org.setun.cli.chat.TerminalConsole;
import org.setun.engine.Engine;
import org.setun.engine.EngineObserver;
import org.setun.engine.EngineSettings;
import org.setun.generation.EngineGenerator;
import org.setun.generation.GenerationSettings;
import org.setun.model.Model;
import org.setun.sampling.SamplingParameters;
import org.setun.tokenizer.Tokenizer;
import org.setun.tokenizer.TokenizerFormatException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Holds a conversation in the terminal. */
@Command(
        name = "chat",
        description = {
            "Holds a conversation with a model in the terminal, or with --server with the first model of a server that has"
                    + " OpenAI's API; the variable SETUN_API_KEY has its key, if it needs one.",
            "/help lists what can be typed instead of a question. Where standard input or output is no terminal, each line or"
                    + " block of the input is a question, and nothing but the answers is printed; the exit code is then 1 if a"
                    + " question could not be answered."
        })
final class ChatCommand implements Callable<Integer> {

    private static final int DEFAULT_MAX_TOKENS = 512;

    private static final String API_KEY = "SETUN_API_KEY";

    /** What means something for a server, too. */
    private static final Set<String> FOR_SERVERS = Set.of(
            "--server",
            "--system",
            "--max-tokens",
            "--context",
            "--temperature",
            "--top-k",
            "--top-p",
            "--seed",
            "--history",
            "--no-history",
            "--activation-sparsity");

    private final InputStream in;
    private final PrintStream out;
    private final boolean terminal;
    private final Map<String, String> environment;
    private final Path userHome;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private ModelOptions options = new ModelOptions();

    @Option(
            names = "--server",
            paramLabel = "URL",
            description = "http://HOST:PORT of a server that answers, instead of a model in this process.")
    private @Nullable String server;

    @Option(names = "--system", paramLabel = "TEXT", description = "Tells the model how to behave; default: nothing.")
    private String system = "";

    @Option(names = "--max-tokens", paramLabel = "N", description = "Tokens of an answer at most; default: 512.")
    private int maxTokens = DEFAULT_MAX_TOKENS;

    @Option(
            names = "--context",
            paramLabel = "N",
            description =
                    "Tokens of the conversation at most, before its oldest turns are forgotten; default: those that"
                            + " the model was trained for.")
    private @Nullable Integer context;

    @Mixin
    private SamplingOptions samplingOptions = new SamplingOptions();

    @Mixin
    private HeadOption headOption = new HeadOption();

    @Option(
            names = "--history",
            paramLabel = "FILE",
            description = "What keeps the lines that were typed; default: setun/chat_history in XDG_STATE_HOME or"
                    + " ~/.local/state.")
    private @Nullable Path history;

    @Option(names = "--no-history", description = "Keep no line that was typed.")
    private boolean noHistory;

    ChatCommand() {
        this(
                System.in,
                new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8),
                isTerminal(),
                System.getenv(),
                Path.of(System.getProperty("user.home")));
    }

    /**
     * Creates the command.
     *
     * @param terminal whether the process has a terminal to hold the conversation at; else it is held with {@code in} and
     *     {@code out}
     */
    ChatCommand(InputStream in, PrintStream out, boolean terminal, Map<String, String> environment, Path userHome) {
        this.in = in;
        this.out = out;
        this.terminal = terminal;
        this.environment = environment;
        this.userHome = userHome;
    }

    @SuppressWarnings("SystemConsoleNull") // since JDK 25 it is null again where there is no terminal
    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    @Override
    public Integer call() throws Exception {
        if (noHistory && history != null) {
            throw wrong("--history: expected no --no-history beside it, found " + history);
        }
        if (context != null && context < 2) {
            throw wrong("--context: expected 2 or more, found " + context);
        }
        if (maxTokens < 1) {
            throw wrong("--max-tokens: expected 1 or more, found " + maxTokens);
        }
        if (server != null) {
            return converseWith(server) ? 0 : 1;
        }
        try (ModelSource source = options.source();
                Tokenizer tokenizer = TokenizerSource.open(source.path())) {
            if (!tokenizer.hasChatTemplate()) {
                throw new TokenizerFormatException(
                        source.path(),
                        "expected a chat template, found none",
                        "use a model made for conversations, or continue texts with setun generate");
            }
            LoadedModel loaded = options.load(source, headOption.mode());
            try (Model model = loaded.model();
                    Engine engine = new Engine(model, EngineSettings.DEFAULTS, EngineObserver.NONE)) {
                SamplingParameters sampling = samplingOptions.parameters(loaded.defaults());
                return converse(chatModel(source.name(), loaded, engine, tokenizer), sampling) ? 0 : 1;
            }
        }
    }

    private boolean converseWith(String url) throws IOException, InterruptedException {
        for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
            if (!FOR_SERVERS.contains(option.longestName())) {
                throw wrong(option.longestName() + ": expected no --server beside it, found " + url);
            }
        }
        Optional<String> key = Optional.ofNullable(environment.get(API_KEY)).filter(text -> !text.isBlank());
        URI address;
        try {
            address = ServerBenchOptions.address(url);
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
        try (ChatServer chat = new ChatServer(address, key)) {
            ChatServer.Served served = chat.model();
            int contextLength = context == null ? served.contextLength() : Math.min(context, served.contextLength());
            return converse(
                    chat.chatModel(served, contextLength, options.activationSparsity()),
                    samplingOptions.parameters(defaults(served.sampling())));
        }
    }

    private static GenerationDefaults defaults(Map<String, Double> sampling) {
        return new GenerationDefaults(
                OptionalInt.empty(),
                List.of(),
                Optional.of(true),
                optional(sampling.get("temperature")),
                optional(sampling.get("top_p")),
                sampling.containsKey("top_k")
                        ? OptionalInt.of(sampling.get("top_k").intValue())
                        : OptionalInt.empty());
    }

    private static OptionalDouble optional(@Nullable Double value) {
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private ChatModel chatModel(String name, LoadedModel loaded, Engine engine, Tokenizer tokenizer) {
        int trainedFor = loaded.model().dimensions().maxPositions();
        int contextLength = (int) Math.min(context == null ? trainedFor : context, engine.capacity());
        Set<Integer> stopTokens = new HashSet<>(loaded.defaults().stopTokenIds());
        stopTokens.addAll(tokenizer.stopIds());
        return new ChatModel(
                name,
                new EngineGenerator(
                        engine, tokenizer, new GenerationSettings(contextLength, DEFAULT_MAX_TOKENS, stopTokens)),
                messages -> tokenizer.encode(tokenizer.renderChat(messages), false).length,
                contextLength,
                options.activationSparsity());
    }

    /** Returns whether all went well; at a terminal, where the user has seen what did not, it always did. */
    private boolean converse(ChatModel model, SamplingParameters sampling) throws IOException, InterruptedException {
        try (ChatConsole console = console()) {
            if (terminal) {
                String length = model.contextLength() == Integer.MAX_VALUE
                        ? "its context unknown"
                        : "context " + model.contextLength() + " tokens";
                console.tell(model.name() + ", " + length + "; /help lists commands, Ctrl-D ends");
            }
            ChatSession session = new ChatSession(model, console, new ChatSettings(sampling, maxTokens), system);
            return session.run() || terminal;
        }
    }

    private ChatConsole console() throws IOException {
        if (!terminal) {
            return new PipeConsole(in, out, spec.commandLine().getErr());
        }
        return TerminalConsole.open(noHistory ? null : historyFile());
    }

    private Path historyFile() {
        if (history != null) {
            return history;
        }
        String state = environment.getOrDefault("XDG_STATE_HOME", "");
        Path directory = state.isBlank() ? userHome.resolve(".local/state") : Path.of(state);
        return directory.resolve("setun").resolve("chat_history");
    }
}
