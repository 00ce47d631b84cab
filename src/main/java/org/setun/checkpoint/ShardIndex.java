package org.setun.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The index of a checkpoint that is cut into several safetensors files: which tensor lies in which. Its
 * {@code metadata} is not looked at, since the total size there is often wrong and never needed.
 *
 * @param location the index file, for messages
 * @param weightMap file name by tensor name
 */
record ShardIndex(String location, Map<String, String> weightMap) {

    private static final String SUFFIX = ".safetensors";
    private static final String WEIGHT_MAP = "weight_map";

    ShardIndex {
        weightMap = Map.copyOf(weightMap);
    }

    /** Reads and checks the index in {@code path}. */
    static ShardIndex read(Path path) throws CheckpointFormatException, IOException {
        String location = path.toString();
        long size = Files.size(path);
        if (size > SafetensorsHeader.MAX_LENGTH) {
            throw CheckpointFormatException.mismatch(
                    location,
                    "at most " + SafetensorsHeader.MAX_LENGTH + " bytes",
                    size + " bytes",
                    StrictJson.DOWNLOAD_AGAIN);
        }
        return parse(location, Files.readAllBytes(path));
    }

    /** Checks the index whose whole text is {@code text}. */
    static ShardIndex parse(String location, byte[] text) throws CheckpointFormatException {
        Map<String, String> weightMap = new TreeMap<>();
        try (StrictJson json = new StrictJson(location, text)) {
            json.readDocument(key -> {
                if (!key.equals(WEIGHT_MAP)) {
                    json.skip();
                } else if (!weightMap.isEmpty()) {
                    throw StrictJson.duplicate(location, WEIGHT_MAP);
                } else {
                    weightMap.putAll(json.readStrings(location + ": " + WEIGHT_MAP, SafetensorsHeader.MAX_TENSORS));
                }
            });
        }
        if (weightMap.isEmpty()) {
            throw CheckpointFormatException.mismatch(
                    location, "tensors in " + WEIGHT_MAP, "none", StrictJson.DOWNLOAD_AGAIN);
        }
        for (Map.Entry<String, String> entry : weightMap.entrySet()) {
            requirePlainName(location, entry.getKey(), entry.getValue());
        }
        return new ShardIndex(location, weightMap);
    }

    /** Returns the names of the shards in order. */
    SortedSet<String> shards() {
        return new TreeSet<>(weightMap.values());
    }

    // A name with a separator in it could make the server read any file of the machine.
    private static void requirePlainName(String location, String tensor, String file) throws CheckpointFormatException {
        boolean plain = file.endsWith(SUFFIX)
                && !file.startsWith(".")
                && file.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || Character.isISOControl(c));
        if (!plain) {
            throw CheckpointFormatException.mismatch(
                    location + ": " + WEIGHT_MAP + ": " + CheckpointFormatException.printable(tensor),
                    "the plain name of a *" + SUFFIX + " file",
                    CheckpointFormatException.printable(file),
                    "get the checkpoint from a source that you trust");
        }
    }
}
