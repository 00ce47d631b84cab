package org.setun.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What earlier pulls put into a directory: it tells their files from the user's own, and spares reading them to see that
 * they are right. While files are moved into place it names the old ones and the new ones.
 *
 * @param repository {@code OWNER/NAME}
 * @param commit the commit that the files are of
 */
record PullManifest(String repository, String commit, List<Entry> files) {

    /**
     * A file as it was left.
     *
     * @param path its name in the repository
     * @param modified its time of modification in milliseconds
     */
    record Entry(String path, long size, long modified, Checksum checksum) {

        /** Describes {@code file}, which lies in {@code location}. */
        static Entry of(RemoteFile file, Path location) throws IOException {
            return new Entry(
                    file.path(),
                    file.size(),
                    Files.getLastModifiedTime(location).toMillis(),
                    file.checksum());
        }

        /** Tells whether nobody has touched the file since. */
        boolean describes(Path location) throws IOException {
            if (!Files.isRegularFile(location)) {
                return false;
            }
            BasicFileAttributes attributes = Files.readAttributes(location, BasicFileAttributes.class);
            return attributes.size() == size && attributes.lastModifiedTime().toMillis() == modified;
        }
    }

    PullManifest {
        files = List.copyOf(files);
    }

    /** Returns what was left of {@code path} if it still lies so in {@code location}. */
    Optional<Entry> untouched(String path, Path location) throws IOException {
        for (Entry entry : files) {
            if (entry.path().equals(path) && entry.describes(location)) {
                return Optional.of(entry);
            }
        }
        return Optional.empty();
    }

    /**
     * Reads a manifest if there is one. A damaged one counts as none: then all files are the user's own, which are read and
     * compared, and never overwritten.
     */
    static Optional<PullManifest> read(Path path) throws IOException {
        try {
            JsonNode root = JsonMapper.shared().readTree(Files.readAllBytes(path));
            List<Entry> entries = new ArrayList<>();
            for (JsonNode file : root.required("files")) {
                Optional<Checksum> checksum =
                        Checksum.parse(file.required("checksum").stringValue());
                entries.add(new Entry(
                        file.required("path").stringValue(),
                        file.required("size").longValue(),
                        file.required("modified").longValue(),
                        checksum.orElseThrow(() -> new IllegalArgumentException("no checksum"))));
            }
            return Optional.of(new PullManifest(
                    root.required("repository").stringValue(),
                    root.required("commit").stringValue(),
                    entries));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (JacksonException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Writes the manifest to {@code path}, atomically. */
    void write(Path path) throws IOException {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("repository", repository).put("commit", commit);
        ArrayNode array = root.putArray("files");
        for (Entry entry : files) {
            array.addObject()
                    .put("path", entry.path())
                    .put("size", entry.size())
                    .put("modified", entry.modified())
                    .put("checksum", entry.checksum().toString());
        }
        Path partial = path.resolveSibling(path.getFileName() + ".new");
        Files.write(partial, JsonMapper.shared().writeValueAsBytes(root));
        Files.move(partial, path, StandardCopyOption.ATOMIC_MOVE);
    }
}
