package org.setun.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Finds the container of a checkpoint by the names in its directory and by its first bytes. */
final class CheckpointOpener {

    private static final String SINGLE = "model.safetensors";
    private static final String INDEX_SUFFIX = ".safetensors.index.json";
    private static final String GGUF = "GGUF";
    private static final String GGUF_SUFFIX = ".gguf";
    private static final int HEAD_BYTES = 16;

    /** How files that are no checkpoint begin, and what their owner can do. */
    private enum Foreign {
        PYTORCH_ZIP("PK\u0003\u0004", "a zip archive, as PyTorch writes", "save the weights as safetensors"),
        PYTORCH_PICKLE("\u0080\u0002", "a Python pickle, as PyTorch once wrote", "save the weights as safetensors"),
        HDF5("\u0089HDF", "an HDF5 file", "save the weights as safetensors"),
        GZIP("\u001f\u008b", "a gzip file", "unpack it first"),
        LFS_POINTER("version https://", "a Git LFS pointer", "fetch the file itself with git lfs pull"),
        HTML("<", "a web page", "download the file itself");

        private final String magic;
        private final String found;
        private final String remedy;

        Foreign(String magic, String found, String remedy) {
            this.magic = magic;
            this.found = found;
            this.remedy = remedy;
        }
    }

    private CheckpointOpener() {}

    static Checkpoint open(Path path) throws CheckpointFormatException, IOException {
        String location = path.toString();
        if (Files.isDirectory(path)) {
            return openDirectory(location, path);
        }
        // A pipe or a device would block or never end.
        if (!Files.isRegularFile(path)) {
            throw CheckpointFormatException.mismatch(
                    location,
                    "a checkpoint directory or file",
                    Files.exists(path) ? "neither" : "nothing",
                    "correct the path");
        }
        if (location.endsWith(INDEX_SUFFIX)) {
            return SafetensorsCheckpoint.openShards(location, path);
        }
        return openFile(location, path);
    }

    private static Checkpoint openDirectory(String location, Path directory)
            throws CheckpointFormatException, IOException {
        Path single = directory.resolve(SINGLE);
        if (Files.isRegularFile(single)) {
            return openFile(location, single);
        }
        Path index = directory.resolve("model" + INDEX_SUFFIX);
        if (Files.isRegularFile(index)) {
            return SafetensorsCheckpoint.openShards(location, index);
        }
        List<Path> ggufs = ggufModels(directory);
        if (ggufs.size() == 1) {
            return openFile(location, ggufs.getFirst());
        }
        throw CheckpointFormatException.mismatch(
                location,
                SINGLE + ", model" + INDEX_SUFFIX + " or one GGUF model",
                otherWeights(directory),
                "name the directory of one checkpoint, or a checkpoint file");
    }

    /** Returns the GGUF files of a directory, of those that come in parts the first part that is there. */
    private static List<Path> ggufModels(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            Set<String> stems = new HashSet<>();
            return files.filter(file -> String.valueOf(file.getFileName()).endsWith(GGUF_SUFFIX))
                    .sorted()
                    .filter(file -> GgufParts.of(file)
                            .map(part -> stems.add(part.name(1)))
                            .orElse(true))
                    .toList();
        }
    }

    private static String otherWeights(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            List<String> others = files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.matches(".*\\.(safetensors|gguf|bin|pth?)"))
                    .sorted()
                    .limit(3)
                    .map(CheckpointFormatException::printable)
                    .toList();
            return others.isEmpty() ? "none of them" : String.join(", ", others);
        }
    }

    private static Checkpoint openFile(String location, Path path) throws CheckpointFormatException, IOException {
        byte[] head;
        try (InputStream in = Files.newInputStream(path)) {
            head = in.readNBytes(HEAD_BYTES);
        }
        // Some magic numbers are also plausible header lengths, but the header's first byte decides.
        boolean brace = head.length > SafetensorsHeader.LENGTH_BYTES && head[SafetensorsHeader.LENGTH_BYTES] == '{';
        String text = new String(head, StandardCharsets.ISO_8859_1);
        // No safetensors header is as long as these four bytes would make it, so a brace after them means nothing.
        if (text.startsWith(GGUF)) {
            return GgufCheckpoint.open(location, path);
        }
        for (Foreign foreign : Foreign.values()) {
            if (!brace && text.startsWith(foreign.magic)) {
                throw CheckpointFormatException.mismatch(
                        path.toString(), "a safetensors or GGUF file", foreign.found, foreign.remedy);
            }
        }
        return path.toString().endsWith(GGUF_SUFFIX)
                ? GgufCheckpoint.open(location, path)
                : SafetensorsCheckpoint.openFile(location, path);
    }
}
