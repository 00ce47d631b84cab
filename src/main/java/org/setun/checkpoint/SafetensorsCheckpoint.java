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
import java.util.Set;
import java.util.TreeMap;

/** A checkpoint in one safetensors file or in shards with an index. Owns the arena that the files are mapped in. */
final class SafetensorsCheckpoint implements Checkpoint {

    private final String location;
    private final Arena arena;
    private final TensorCatalog catalog;
    private final List<SafetensorsFile> files;
    private final Map<String, String> metadata;

    private SafetensorsCheckpoint(String location, Arena arena, List<SafetensorsFile> files) {
        this.location = location;
        this.arena = arena;
        this.files = List.copyOf(files);
        this.catalog = new TensorCatalog(
                location,
                files.stream().flatMap(file -> file.tensors().stream()).toList());
        Map<String, String> union = new TreeMap<>();
        files.forEach(file -> file.metadata().forEach(union::putIfAbsent));
        // A checksum is that of one file.
        union.remove(DataChecksum.KEY);
        this.metadata = Collections.unmodifiableMap(union);
    }

    /** Opens one file; {@code location} is the path that messages about the whole checkpoint name. */
    static SafetensorsCheckpoint openFile(String location, Path path) throws CheckpointFormatException, IOException {
        return open(arena -> {
            return new SafetensorsCheckpoint(location, arena, List.of(SafetensorsFile.map(path, arena)));
        });
    }

    /** Opens the shards that {@code index} lists, which lie beside it. */
    static SafetensorsCheckpoint openShards(String location, Path index) throws CheckpointFormatException, IOException {
        ShardIndex shards = ShardIndex.read(index);
        return open(arena -> mapShards(location, index, shards, arena));
    }

    private static SafetensorsCheckpoint mapShards(String location, Path index, ShardIndex shards, Arena arena)
            throws CheckpointFormatException, IOException {
        List<SafetensorsFile> files = new ArrayList<>();
        Set<String> missing = new HashSet<>(shards.weightMap().keySet());
        for (String shard : shards.shards()) {
            Path path = index.resolveSibling(shard);
            if (!Files.isRegularFile(path)) {
                throw CheckpointFormatException.invalid(
                        shards.location(), "shard " + shard + " is missing", "download it into the same directory");
            }
            SafetensorsFile file = SafetensorsFile.map(path, arena);
            for (StoredTensor tensor : file.tensors()) {
                requireIndexed(shards, shard, tensor);
                missing.remove(tensor.name());
            }
            files.add(file);
        }
        if (!missing.isEmpty()) {
            String name = missing.stream().sorted().findFirst().orElseThrow();
            throw CheckpointFormatException.mismatch(
                    shards.location(),
                    "tensor " + CheckpointFormatException.printable(name) + " in "
                            + shards.weightMap().get(name),
                    "no such tensor there",
                    StrictJson.DOWNLOAD_AGAIN);
        }
        return new SafetensorsCheckpoint(location, arena, files);
    }

    private static void requireIndexed(ShardIndex shards, String shard, StoredTensor tensor)
            throws CheckpointFormatException {
        String indexed = shards.weightMap().get(tensor.name());
        if (!shard.equals(indexed)) {
            throw CheckpointFormatException.mismatch(
                    tensor.where(),
                    "the shard that " + shards.location() + " names",
                    indexed == null ? "no entry there" : indexed + " there",
                    StrictJson.DOWNLOAD_AGAIN);
        }
    }

    /** Makes a checkpoint of what is mapped into a fresh arena. */
    @FunctionalInterface
    private interface Mapping {
        SafetensorsCheckpoint into(Arena arena) throws CheckpointFormatException, IOException;
    }

    // The arena's owner is the checkpoint, which closes it in close(); here it closes only when opening fails.
    @SuppressWarnings("MustBeClosedChecker")
    private static SafetensorsCheckpoint open(Mapping mapping) throws CheckpointFormatException, IOException {
        Arena arena = Arena.ofShared();
        try {
            return mapping.into(arena);
        } catch (CheckpointFormatException | IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
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

    @Override
    public void verifyChecksum() throws CheckpointFormatException {
        for (SafetensorsFile file : files) {
            file.verifyChecksum();
        }
    }

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
