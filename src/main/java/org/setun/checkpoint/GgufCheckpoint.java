package org.setun.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A checkpoint in one GGUF file or in the parts of one. Shapes are the reverse of the file's dimensions, so that a weight
 * is {@code [out, in]} as everywhere else. Owns the arena that the files are mapped in.
 */
public final class GgufCheckpoint implements Checkpoint {

    private static final String SPLIT_COUNT = "split.count";
    private static final String SPLIT_NUMBER = "split.no";
    private static final String SPLIT_TENSORS = "split.tensors.count";

    private final String location;
    private final Arena arena;
    private final TensorCatalog catalog;
    private final GgufMetadata keyValues;
    private final Map<String, String> metadata;

    private GgufCheckpoint(String location, Arena arena, List<StoredTensor> tensors, GgufMetadata keyValues)
            throws CheckpointFormatException {
        this.location = location;
        this.arena = arena;
        this.catalog = new TensorCatalog(location, tensors);
        this.keyValues = keyValues;
        this.metadata = Collections.unmodifiableMap(keyValues.describe());
    }

    /**
     * Opens a file, and the parts beside it if it is one of several.
     *
     * @param location the path that messages about the whole checkpoint name
     */
    // The arena's owner is the checkpoint, which closes it in close(); here it closes only when opening fails.
    @SuppressWarnings("MustBeClosedChecker")
    static GgufCheckpoint open(String location, Path path) throws CheckpointFormatException, IOException {
        Arena arena = Arena.ofShared();
        try {
            GgufFile file = GgufFile.map(path, arena);
            if (file.metadata().findCount(SPLIT_COUNT).orElse(1) > 1) {
                return mapParts(location, path, file, arena);
            }
            return new GgufCheckpoint(location, arena, file.tensors(), file.metadata());
        } catch (CheckpointFormatException | IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static GgufCheckpoint mapParts(String location, Path path, GgufFile opened, Arena arena)
            throws CheckpointFormatException, IOException {
        int count = opened.metadata().count(SPLIT_COUNT);
        Optional<GgufParts> named = GgufParts.of(path);
        if (named.isEmpty() || named.get().count() != count) {
            throw CheckpointFormatException.mismatch(
                    path.toString(),
                    "the name of one of " + count + " parts, as in " + new GgufParts("model", 1, count).name(1),
                    CheckpointFormatException.printable(String.valueOf(path.getFileName())),
                    "give the parts the names they were published with");
        }
        GgufParts parts = named.get();
        GgufMetadata first = opened.metadata();
        List<StoredTensor> tensors = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int number = 1; number <= count; number++) {
            Path part = path.resolveSibling(parts.name(number));
            GgufFile file = number == parts.number() ? opened : mapPart(path, part, arena);
            requirePart(file.metadata(), number, count);
            first = number == 1 ? file.metadata() : first;
            for (StoredTensor tensor : file.tensors()) {
                if (!names.add(tensor.name())) {
                    throw CheckpointFormatException.invalid(
                            tensor.where(), "an earlier part has a tensor of that name", StrictJson.DOWNLOAD_AGAIN);
                }
                tensors.add(tensor);
            }
        }
        OptionalInt expected = first.findCount(SPLIT_TENSORS);
        if (expected.isPresent() && expected.getAsInt() != tensors.size()) {
            throw first.mismatch(
                    SPLIT_TENSORS, tensors.size() + ", as many as the parts have", "" + expected.getAsInt());
        }
        return new GgufCheckpoint(location, arena, tensors, first);
    }

    private static GgufFile mapPart(Path opened, Path part, Arena arena) throws CheckpointFormatException, IOException {
        if (!Files.isRegularFile(part)) {
            throw CheckpointFormatException.invalid(
                    opened.toString(),
                    "part " + part.getFileName() + " is missing",
                    "download it into the same directory");
        }
        return GgufFile.map(part, arena);
    }

    private static void requirePart(GgufMetadata metadata, int number, int count) throws CheckpointFormatException {
        if (metadata.count(SPLIT_COUNT) != count) {
            throw metadata.mismatch(SPLIT_COUNT, "" + count, "" + metadata.count(SPLIT_COUNT));
        }
        // The file counts its parts from 0, their names from 1.
        if (metadata.count(SPLIT_NUMBER) != number - 1) {
            throw metadata.mismatch(SPLIT_NUMBER, "" + (number - 1), "" + metadata.count(SPLIT_NUMBER));
        }
    }

    /** Returns the typed key-value pairs: of several parts those of the first. */
    public GgufMetadata keyValues() {
        return keyValues;
    }

    /** Tells whether the file carries a vocabulary. */
    public boolean hasVocabulary() {
        return EmbeddedVocabulary.isIn(keyValues);
    }

    /**
     * Returns the vocabulary that the file carries.
     *
     * @throws CheckpointFormatException if it carries none, or a contradictory one
     */
    public EmbeddedVocabulary vocabulary() throws CheckpointFormatException {
        return EmbeddedVocabulary.read(keyValues);
    }

    @Override
    public String location() {
        return location;
    }

    @Override
    public Collection<StoredTensor> tensors() {
        return catalog.tensors();
    }

    @Override
    public Optional<StoredTensor> find(String name) {
        return catalog.find(name);
    }

    @Override
    public StoredTensor require(String name) throws CheckpointFormatException {
        return catalog.require(name);
    }

    @Override
    public void requireAllUsed() throws CheckpointFormatException {
        catalog.requireAllUsed();
    }

    /** GGUF files carry no checksum. */
    @Override
    public void verifyChecksum() {}

    /** Returns every value as text, arrays by type and length. */
    @Override
    public Map<String, String> metadata() {
        return metadata;
    }

    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
