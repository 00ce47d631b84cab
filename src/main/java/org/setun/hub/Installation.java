package org.setun.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Moves complete files into place. A loader that comes at any moment, or after a crash at any moment, finds the old set,
 * the new set or none: where something is replaced, what a loader opens first goes before all else and comes back last.
 */
final class Installation {

    private final Path directory;
    private final Staging staging;
    private final PullListener listener;

    Installation(Path directory, Staging staging, PullListener listener) {
        this.directory = directory;
        this.staging = staging;
        this.listener = listener;
    }

    /**
     * Carries out {@code plan}, whose missing files are complete in the staging directory.
     *
     * @param repository {@code OWNER/NAME}
     * @param commit the commit of all files
     */
    void install(PullPlan plan, String repository, String commit) throws HubException, IOException {
        List<PullManifest.Entry> installed = new ArrayList<>(plan.kept());
        for (RemoteFile file : plan.present()) {
            installed.add(PullManifest.Entry.of(file, RepositoryPath.resolve(directory, file.path())));
        }
        for (RemoteFile file : plan.missing()) {
            installed.add(PullManifest.Entry.of(file, staging.complete(file)));
        }
        announce(repository, commit, installed);
        List<RemoteFile> moves = new ArrayList<>(plan.missing());
        if (plan.replaces() || !plan.stale().isEmpty()) {
            moves.addAll(hide(plan));
        }
        for (PullManifest.Entry entry : plan.stale()) {
            Files.deleteIfExists(RepositoryPath.resolve(directory, entry.path()));
            listener.removed(entry.path());
        }
        for (RemoteFile file : entriesLast(moves)) {
            Path path = RepositoryPath.resolve(directory, file.path());
            createParents(path);
            Files.move(staging.complete(file), path, StandardCopyOption.ATOMIC_MOVE);
        }
        staging.write(new PullManifest(repository, commit, installed));
        staging.clear();
    }

    /** Writes down what is there and what comes, so that after a crash both are known as pulled. */
    private void announce(String repository, String commit, List<PullManifest.Entry> installed) throws IOException {
        List<PullManifest.Entry> all = new ArrayList<>(installed);
        String announced = commit;
        if (staging.manifest().isPresent()) {
            PullManifest old = staging.manifest().get();
            old.files().stream().filter(entry -> !installed.contains(entry)).forEach(all::add);
            // The commit changes when the change is done: until then the old files are still to be removed.
            announced = old.commit();
        }
        staging.write(new PullManifest(repository, announced, all));
    }

    /** Takes away what a loader opens first, and returns what of it has to come back. */
    private List<RemoteFile> hide(PullPlan plan) throws HubException, IOException {
        for (PullManifest.Entry entry : plan.stale()) {
            if (opensModel(entry.path())) {
                Files.deleteIfExists(RepositoryPath.resolve(directory, entry.path()));
            }
        }
        for (RemoteFile file : plan.missing()) {
            if (opensModel(file.path())) {
                Files.deleteIfExists(RepositoryPath.resolve(directory, file.path()));
            }
        }
        List<RemoteFile> back = new ArrayList<>();
        for (RemoteFile file : plan.present()) {
            if (opensModel(file.path())) {
                Files.move(
                        RepositoryPath.resolve(directory, file.path()),
                        staging.complete(file),
                        StandardCopyOption.ATOMIC_MOVE);
                back.add(file);
            }
        }
        return back;
    }

    private void createParents(Path path) throws IOException {
        @Nullable Path parent = path.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
    }

    private static List<RemoteFile> entriesLast(List<RemoteFile> files) {
        return Stream.concat(
                        files.stream().filter(file -> !opensModel(file.path())),
                        files.stream().filter(file -> opensModel(file.path())))
                .toList();
    }

    /** Tells whether a loader finds a model by this file: the configuration, or GGUF, which has its own. */
    private static boolean opensModel(String path) {
        return path.equals(FileSelection.CONFIG)
                || WeightsFile.of(path, GgufModels.EXTENSION)
                        .map(weights -> weights.number() == 1)
                        .orElse(false);
    }
}
