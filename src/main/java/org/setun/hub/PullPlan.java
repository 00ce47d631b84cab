package org.setun.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What has to change in a directory so that it holds the selected files: decided before anything is fetched. Nothing that
 * a pull did not write is ever overwritten or deleted, unless forced.
 *
 * @param present the selected files that are there already and right
 * @param missing the selected files to fetch and move into place
 * @param replaces whether one of them takes the place of another version
 * @param stale files of the earlier commit that have to go
 * @param kept files that earlier pulls fetched and that stay
 */
record PullPlan(
        List<RemoteFile> present,
        List<RemoteFile> missing,
        boolean replaces,
        List<PullManifest.Entry> stale,
        List<PullManifest.Entry> kept) {

    private static final int BUFFER_BYTES = 1 << 20;

    PullPlan {
        present = List.copyOf(present);
        missing = List.copyOf(missing);
        stale = List.copyOf(stale);
        kept = List.copyOf(kept);
    }

    /**
     * Compares a directory with a selection.
     *
     * @param manifest what earlier pulls left
     * @throws HubException if files are in the way that no pull wrote, or that would become a mix of two versions
     */
    static PullPlan of(
            PullRequest request, Optional<PullManifest> manifest, ModelListing listing, List<RemoteFile> selected)
            throws HubException, IOException {
        requireSameModel(request, manifest);
        List<RemoteFile> present = new ArrayList<>();
        List<RemoteFile> missing = new ArrayList<>();
        boolean replaces = false;
        for (RemoteFile file : selected) {
            Path path = RepositoryPath.resolve(request.directory(), file.path());
            boolean exists = Files.exists(path, LinkOption.NOFOLLOW_LINKS);
            if (exists && !request.force() && isRight(file, path, manifest)) {
                present.add(file);
            } else {
                if (exists) {
                    requireReplaceable(request, file, path, manifest);
                }
                replaces |= exists;
                missing.add(file);
            }
        }
        List<PullManifest.Entry> stale = new ArrayList<>();
        List<PullManifest.Entry> kept = new ArrayList<>();
        if (manifest.isPresent()) {
            sort(request, manifest.get(), listing, selected, stale, kept);
        }
        return new PullPlan(present, missing, replaces, stale, kept);
    }

    private static void requireSameModel(PullRequest request, Optional<PullManifest> manifest) throws HubException {
        String wanted = request.model().repository();
        if (manifest.isPresent()
                && !request.force()
                && !manifest.get().repository().equalsIgnoreCase(wanted)) {
            throw HubException.mismatch(
                    request.directory().toString(),
                    wanted,
                    HubException.printable(manifest.get().repository()),
                    "choose another --dir, or replace that model with --force");
        }
    }

    private static boolean isRight(RemoteFile file, Path path, Optional<PullManifest> manifest) throws IOException {
        Optional<PullManifest.Entry> known =
                manifest.isPresent() ? manifest.get().untouched(file.path(), path) : Optional.empty();
        if (known.isPresent()) {
            return known.get().checksum().equals(file.checksum());
        }
        return Files.isRegularFile(path)
                && Files.size(path) == file.size()
                && checksum(file, path).equals(file.checksum());
    }

    private static Checksum checksum(RemoteFile file, Path path) throws IOException {
        MessageDigest digest = file.checksum().kind().start(file.size());
        ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            while (channel.read(buffer) >= 0) {
                digest.update(buffer.flip());
                buffer.clear();
            }
        }
        return file.checksum().kind().finish(digest);
    }

    private static void requireReplaceable(
            PullRequest request, RemoteFile file, Path path, Optional<PullManifest> manifest)
            throws HubException, IOException {
        if (Files.isDirectory(path)) {
            throw HubException.mismatch(path.toString(), "a file or nothing", "a directory", "choose another --dir");
        }
        boolean pulled = manifest.isPresent()
                && manifest.get().untouched(file.path(), path).isPresent();
        if (!pulled && !request.force()) {
            throw HubException.mismatch(
                    path.toString(),
                    "the hub's file or nothing",
                    "another file, which was not pulled or was changed since",
                    "move it away, choose another --dir, or overwrite it with --force");
        }
    }

    /** Divides what earlier pulls fetched and this one does not into what stays and what goes. */
    private static void sort(
            PullRequest request,
            PullManifest manifest,
            ModelListing listing,
            List<RemoteFile> selected,
            List<PullManifest.Entry> stale,
            List<PullManifest.Entry> kept)
            throws HubException, IOException {
        Map<String, RemoteFile> listed = byPath(listing.files());
        Map<String, RemoteFile> wanted = byPath(selected);
        boolean sameModel =
                manifest.repository().equalsIgnoreCase(request.model().repository());
        boolean sameCommit = sameModel && manifest.commit().equals(listing.commit());
        for (PullManifest.Entry entry : manifest.files()) {
            Path path = RepositoryPath.resolve(request.directory(), entry.path());
            if (wanted.containsKey(entry.path()) || !entry.describes(path)) {
                continue;
            }
            @Nullable RemoteFile now = listed.get(entry.path());
            boolean same = sameModel && now != null && now.checksum().equals(entry.checksum());
            if (sameCommit || same) {
                kept.add(entry);
            } else if (now == null || request.force()) {
                stale.add(entry);
            } else {
                throw new HubException(request.directory() + ": " + entry.path() + " is of commit " + manifest.commit()
                        + ", and at commit " + listing.commit() + " it is another, which was not asked for; pull both"
                        + " at once, pull with --revision " + manifest.commit()
                        + ", choose another --dir, or remove the old one with --force");
            }
        }
    }

    private static Map<String, RemoteFile> byPath(List<RemoteFile> files) {
        return files.stream()
                .collect(Collectors.toMap(RemoteFile::path, Function.identity(), (first, second) -> first));
    }
}
