package org.setun.architecture;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.SafetensorsWriter;
import org.setun.checkpoint.StoredTensor;
import org.setun.kernel.WorkerPool;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Rewrites a checkpoint of any family as one of Setun's own, packed. */
public final class CheckpointConverter {

    /** What travels along unchanged, where the source has it. */
    private static final List<String> COMPANIONS = List.of(
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "generation_config.json",
            "chat_template.jinja");

    /** Ends the name of the directory that is being written: a name that nobody else's directory has. */
    private static final String PARTIAL = ".setun-partial";

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private CheckpointConverter() {}

    /**
     * Converts {@code source} to a new directory {@code target}. Everything is first written to a directory beside it, {@code
     * *.setun-partial}, which gets its name when it is complete; no more than a few rows of a tensor are held. A conversion that was
     * interrupted goes on after its last complete tensor if source and options are the same.
     *
     * @param source a checkpoint directory, or a file of tensors with its config.json beside it
     * @param progress told of every tensor that is written
     * @throws FileAlreadyExistsException if {@code target} exists
     * @throws CheckpointFormatException if the source is damaged, this version does not run it, or its matrices do not fit
     *     the packing
     * @throws IOException if reading or writing fails
     */
    public static void convert(Path source, Path target, ConvertOptions options, LoadProgress progress)
            throws CheckpointFormatException, IOException {
        convert(source, target, options, Map.of(), progress);
    }

    /**
     * Converts as {@link #convert(Path, Path, ConvertOptions, LoadProgress)} does.
     *
     * @param companions files by name that the target gets besides those that travel along; they take the place of files of
     *     the same name
     */
    public static void convert(
            Path source, Path target, ConvertOptions options, Map<String, byte[]> companions, LoadProgress progress)
            throws CheckpointFormatException, IOException {
        if (Files.exists(target)) {
            throw new FileAlreadyExistsException(
                    target.toString(), null, "the target of a conversion must not exist yet; choose another one");
        }
        try (OpenCheckpoint checkpoint = OpenCheckpoint.open(source);
                WorkerPool workers = WorkerPool.of(1)) {
            Recipe recipe = checkpoint.recipe();
            checkpoint.tensors().verifyChecksum();
            // What is wrong with the source is found before anything is written, or taken over from an earlier run.
            TensorReader reader = new TensorReader(checkpoint.tensors(), workers);
            PackedTensors tensors = PackedTensors.of(recipe, reader, options);
            checkpoint.tensors().requireAllUsed();
            Path partial = target.toAbsolutePath().resolveSibling(target.getFileName() + PARTIAL);
            Files.createDirectories(partial);
            writeTensors(tensors, partial, identity(checkpoint, options, tensors.spec()), progress);
            writeCompanions(checkpoint, tensors.spec(), companions, partial);
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    private static void writeTensors(PackedTensors tensors, Path directory, String identity, LoadProgress progress)
            throws CheckpointFormatException, IOException {
        Path file = directory.resolve("model.safetensors");
        try (SafetensorsWriter writer =
                SafetensorsWriter.resume(file, tensors.declarations(), Map.of("format", "pt"), identity)) {
            try {
                tensors.write(writer, progress);
            } catch (CheckpointFormatException | RuntimeException e) {
                // Another try would fail at the same place. Still locked, so that what goes is this run's own.
                delete(directory);
                throw e;
            }
            writer.finish();
        }
    }

    /** Returns one line that changes with the source's files, with the options and with how this version stores them. */
    private static String identity(OpenCheckpoint checkpoint, ConvertOptions options, ModelSpec spec)
            throws IOException {
        StringBuilder identity = new StringBuilder();
        identity.append(options).append(' ').append(TernaryConfigWriter.write(spec));
        for (String location : checkpoint.tensors().tensors().stream()
                .map(StoredTensor::location)
                .distinct()
                .sorted()
                .toList()) {
            Path file = Path.of(location);
            identity.append(' ')
                    .append(JSON.writeValueAsString(file.toRealPath().toString())
                            .strip())
                    .append(' ')
                    .append(Files.size(file))
                    .append(' ')
                    .append(Files.getLastModifiedTime(file));
        }
        return identity.toString();
    }

    private static void writeCompanions(
            OpenCheckpoint checkpoint, ModelSpec spec, Map<String, byte[]> companions, Path directory)
            throws IOException {
        Files.write(directory.resolve("config.json"), JSON.writeValueAsBytes(TernaryConfigWriter.write(spec)));
        for (String name : COMPANIONS) {
            Path companion = checkpoint.directory().resolve(name);
            if (Files.exists(companion)) {
                Files.copy(companion, directory.resolve(name), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        for (Map.Entry<String, byte[]> companion : companions.entrySet()) {
            Files.write(directory.resolve(companion.getKey()), companion.getValue());
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
