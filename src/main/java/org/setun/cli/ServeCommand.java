package org.setun.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/** Starts the server. */
@Command(
        name = "serve",
        description = {
            "Serves a model over HTTP; the default command.",
            "Any setting of the server can be given as --name=value, such as --server.port=8081."
        })
final class ServeCommand implements Runnable {

    private final Consumer<String[]> server;

    @Option(
            names = "--model",
            paramLabel = "PATH",
            description = "A checkpoint directory or file; default: the model that ships.")
    private @Nullable Path model;

    @Option(names = "--port", paramLabel = "N", description = "The port to listen on; default: 8080.")
    private @Nullable Integer port;

    @Option(names = "--threads", paramLabel = "N", description = "Threads of the engine; default: one a core.")
    private @Nullable Integer threads;

    @Unmatched
    private List<String> springArguments = new ArrayList<>();

    private boolean started;

    ServeCommand(Consumer<String[]> server) {
        this.server = server;
    }

    @Override
    public void run() {
        List<String> arguments = new ArrayList<>();
        if (model != null) {
            arguments.add("--setun.model.path=" + model);
        }
        if (port != null) {
            arguments.add("--server.port=" + port);
        }
        if (threads != null) {
            arguments.add("--setun.engine.threads=" + threads);
        }
        arguments.addAll(springArguments);
        server.accept(arguments.toArray(String[]::new));
        started = true;
    }

    /** Tells whether the server was started. */
    boolean started() {
        return started;
    }
}
