package org.setun.hub;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Pulls from a {@link FakeHub} without waiting, and remembers what it was told. */
final class Puller implements PullListener {

    static final String REPOSITORY = "acme/tern-1b";

    final List<Duration> waits = new ArrayList<>();
    final List<String> reasons = new ArrayList<>();
    final List<String> removed = new ArrayList<>();
    final List<Progress> progress = new ArrayList<>();

    private final FakeHub hub;
    private final Path directory;
    private Map<String, String> environment = Map.of();
    private FileWishes wishes = FileWishes.NONE;
    private String model = REPOSITORY;
    private boolean force;
    private FreeSpace freeSpace = path -> Long.MAX_VALUE;
    private Duration patience = Duration.ofSeconds(30);

    Puller(FakeHub hub, Path directory) {
        this.hub = hub;
        this.directory = directory;
    }

    Puller model(String reference) {
        model = reference;
        return this;
    }

    Puller token(String token) {
        environment = Map.of("HF_TOKEN", token);
        return this;
    }

    Puller include(String... globs) {
        wishes = new FileWishes(List.of(globs), List.of(), Optional.empty());
        return this;
    }

    Puller weights(String name) {
        wishes = new FileWishes(List.of(), List.of(), Optional.of(name));
        return this;
    }

    Puller force() {
        force = true;
        return this;
    }

    Puller freeSpace(long bytes) {
        freeSpace = path -> bytes;
        return this;
    }

    Puller patience(Duration duration) {
        patience = duration;
        return this;
    }

    PullResult pull() throws Exception {
        HubConnection connection = HubConnection.of(hub.endpoint(), environment, directory.resolve("no-home"));
        PullRequest request = new PullRequest(connection, ModelReference.parse(model, null), wishes, directory, force);
        return new ModelPull(waits::add, freeSpace, patience).pull(request, this);
    }

    @Override
    public void progress(Progress now) {
        progress.add(now);
    }

    @Override
    public void retrying(String what, String reason, Duration wait) {
        reasons.add(what + ": " + reason);
    }

    @Override
    public void removed(String file) {
        removed.add(file);
    }
}
