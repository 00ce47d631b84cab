package org.setun.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Fetches a model from a hub into a directory: lists it at one commit, selects files, fetches what is missing, verifies it,
 * and moves it into place when all of it is there. What an interrupted pull has fetched stays, and the next one goes on
 * from it.
 */
public final class ModelPull {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long MEGABYTE = 1_000_000;

    private final Pause pause;
    private final FreeSpace freeSpace;
    private final Duration patience;

    /** Creates pulls on the real network, clock and disk. */
    public ModelPull() {
        this(Pause.REAL, FreeSpace.REAL, PATIENCE);
    }

    /**
     * Creates pulls.
     *
     * @param patience how long the hub may be silent
     */
    ModelPull(Pause pause, FreeSpace freeSpace, Duration patience) {
        this.pause = pause;
        this.freeSpace = freeSpace;
        this.patience = patience;
    }

    /**
     * Pulls a model.
     *
     * @throws HubException if the hub, the model, the network or the directory does not allow it
     * @throws IOException if files cannot be written
     */
    public PullResult pull(PullRequest request, PullListener listener)
            throws HubException, IOException, InterruptedException {
        try (HubClient client = new HubClient(request.connection(), patience)) {
            HubApi api = new HubApi(client, request.model());
            ModelListing listing = api.list(pause, listener);
            FileSelection selection = FileSelection.of(request.model(), request.wishes(), listing);
            List<String> paths =
                    selection.files().stream().map(RemoteFile::path).toList();
            for (String path : paths) {
                RepositoryPath.resolve(request.directory(), path);
            }
            RepositoryPath.requireDistinct(paths);
            try (Staging staging = Staging.lock(request.directory())) {
                PullPlan plan = PullPlan.of(request, staging.manifest(), listing, selection.files());
                long fetched = fetch(request, staging, plan, api, listing.commit(), listener);
                new Installation(request.directory(), staging, listener)
                        .install(plan, request.model().repository(), listing.commit());
                return new PullResult(
                        request.directory(),
                        model(request.directory(), selection),
                        listing.commit(),
                        paths.size(),
                        fetched);
            }
        }
    }

    private long fetch(
            PullRequest request, Staging staging, PullPlan plan, HubApi api, String commit, PullListener listener)
            throws HubException, IOException, InterruptedException {
        if (request.force()) {
            for (RemoteFile file : plan.missing()) {
                staging.discard(file);
            }
        }
        long there = plan.present().stream().mapToLong(RemoteFile::size).sum();
        long needed = 0;
        for (RemoteFile file : plan.missing()) {
            needed += file.size() - staging.partialBytes(file);
        }
        requireSpace(request.directory(), needed);
        long total = there + plan.missing().stream().mapToLong(RemoteFile::size).sum();
        for (RemoteFile file : plan.missing()) {
            if (!staging.isComplete(file)) {
                fetch(file, staging, new FileDownload(api, commit, file, pause, listener), there, total, listener);
            }
            there += file.size();
        }
        return needed;
    }

    private static void fetch(
            RemoteFile file, Staging staging, FileDownload download, long there, long total, PullListener listener)
            throws HubException, IOException, InterruptedException {
        Path path = staging.partial(file);
        try (PartialFile partial = PartialFile.open(path, file)) {
            download.complete(
                    partial,
                    bytes -> listener.progress(
                            new PullListener.Progress(file.path(), bytes, file.size(), there + bytes, total)));
        } catch (HubException e) {
            if (Files.size(path) == 0) {
                Files.delete(path);
            }
            throw e;
        }
        staging.completed(file);
    }

    private void requireSpace(Path directory, long needed) throws HubException, IOException {
        long free = freeSpace.bytes(directory);
        if (needed > free) {
            throw HubException.mismatch(
                    directory.toString(),
                    megabytes(needed) + " of free space",
                    megabytes(free),
                    "free some, or choose a --dir on another disk");
        }
    }

    private static String megabytes(long bytes) {
        return Math.ceilDiv(bytes, MEGABYTE) + " MB";
    }

    /** Returns what names the pulled weights to a loader. */
    private static Optional<Path> model(Path directory, FileSelection selection) throws IOException {
        if (selection.weights().isEmpty()) {
            return Optional.empty();
        }
        String first = selection.weights().getFirst().path();
        if (FileSelection.isFoundInDirectory(first)) {
            return Optional.of(directory);
        }
        if (WeightsFile.of(first, GgufModels.EXTENSION).isEmpty()) {
            return first.endsWith(FileSelection.SAFETENSORS) ? Optional.of(directory.resolve(first)) : Optional.empty();
        }
        List<String> pulled = selection.weights().stream().map(RemoteFile::path).toList();
        try (Stream<Path> files = Files.list(directory)) {
            boolean alone = pulled.stream().allMatch(path -> path.indexOf('/') < 0)
                    && files.map(file -> String.valueOf(file.getFileName()))
                            .filter(name ->
                                    name.endsWith(GgufModels.EXTENSION) || FileSelection.isFoundInDirectory(name))
                            .allMatch(pulled::contains);
            return Optional.of(alone ? directory : directory.resolve(first));
        }
    }
}
