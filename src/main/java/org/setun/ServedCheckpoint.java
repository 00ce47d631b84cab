package org.setun;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.setun.architecture.LoadedModel;
import org.setun.architecture.ModelLoader;
import org.setun.architecture.NamedShape;
import org.setun.checkpoint.BundledModel;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.cli.TokenizerSource;
import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.model.Model;
import org.setun.tokenizer.Tokenizer;
import org.setun.tokenizer.TokenizerFormatException;

/**
 * A checkpoint in memory, ready to be served. What {@link ModelLoader#load} leaves in its files they must keep.
 *
 * @param name what clients call it
 * @param created when its files were made; empty for the model that ships
 * @param loaded its model, and what its checkpoint says about it
 * @param tokenizer its tokenizer
 * @param loadDuration how long loading took
 */
record ServedCheckpoint(
        String name, Optional<Instant> created, LoadedModel loaded, Tokenizer tokenizer, Duration loadDuration)
        implements AutoCloseable {

    private static final String OTHER_MODEL =
            "Name another checkpoint with --setun.model.path=PATH, or none to serve the model that ships with Setun.";

    /**
     * Loads what the settings name. The caller closes it.
     *
     * @throws ModelUnavailableException if it cannot be loaded
     */
    static ServedCheckpoint load(SetunProperties properties) {
        Path path = properties.model().path();
        try {
            if (path != null) {
                return load(path, name(properties, directoryName(path)), Optional.of(modified(path)), properties);
            }
            Optional<NamedShape> shape = properties.model().shape();
            try (BundledModel bundled = BundledModel.extract()) {
                if (shape.isPresent()) {
                    return random(shape.get(), bundled.directory(), properties);
                }
                return load(bundled.directory(), name(properties, BundledModel.NAME), Optional.empty(), properties);
            }
        } catch (CheckpointFormatException | TokenizerFormatException e) {
            throw new ModelUnavailableException(String.valueOf(e.getMessage()), OTHER_MODEL, e);
        } catch (NoSuchFileException e) {
            throw new ModelUnavailableException(e.getFile() + ": no such file or directory", OTHER_MODEL, e);
        } catch (IOException e) {
            throw new ModelUnavailableException("The model's files cannot be read: " + e, OTHER_MODEL, e);
        } catch (OutOfMemoryError e) {
            throw new ModelUnavailableException(
                    "There is not enough memory for the model: " + e.getMessage(),
                    "Give the process more memory, or serve a smaller model.",
                    e);
        }
    }

    private static ServedCheckpoint load(Path path, String name, Optional<Instant> created, SetunProperties properties)
            throws CheckpointFormatException, TokenizerFormatException, IOException {
        long start = System.nanoTime();
        SetunProperties.Engine settings = properties.engine();
        // First, since it is quick: who forgot the tokenizer should not wait for the weights.
        Tokenizer tokenizer = TokenizerSource.open(path);
        try {
            Kernels kernels = kernels(settings);
            try {
                LoadLog log = new LoadLog(name);
                LoadedModel loaded = properties.redis().url() == null
                        ? ModelLoader.load(path, kernels, settings.loadOptions(), log)
                        : ModelLoader.loadNamed(path, kernels, settings.loadOptions(), log);
                try {
                    requireKnownTokens(path, tokenizer, loaded.model());
                } catch (CheckpointFormatException e) {
                    loaded.model().close();
                    throw e;
                }
                return new ServedCheckpoint(
                        name, created, loaded, tokenizer, Duration.ofNanos(System.nanoTime() - start));
            } catch (CheckpointFormatException | IOException | RuntimeException | Error e) {
                kernels.workers().close();
                throw e;
            }
        } catch (CheckpointFormatException | IOException | RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    private static ServedCheckpoint random(NamedShape shape, Path tokenizerFiles, SetunProperties properties)
            throws TokenizerFormatException, CheckpointFormatException, IOException {
        long start = System.nanoTime();
        Tokenizer words = TokenizerSource.open(tokenizerFiles);
        try {
            Kernels kernels = kernels(properties.engine());
            try {
                LoadedModel loaded =
                        ModelLoader.random(shape, kernels, properties.engine().loadOptions());
                return new ServedCheckpoint(
                        name(properties, shape.shapeName() + "-random"),
                        Optional.empty(),
                        loaded,
                        new NonsenseTokenizer(words, loaded.model().dimensions().vocabSize()),
                        Duration.ofNanos(System.nanoTime() - start));
            } catch (RuntimeException | Error e) {
                kernels.workers().close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            words.close();
            throw e;
        }
    }

    private static Kernels kernels(SetunProperties.Engine settings) {
        Integer threads = settings.threads();
        try {
            return KernelSelection.select(
                    settings.kernel(), threads == null ? KernelSelection.physicalCores() : threads);
        } catch (IllegalArgumentException e) {
            throw new ModelUnavailableException(
                    String.valueOf(e.getMessage()), "Set setun.engine.kernel to one of these, or leave it out.", e);
        }
    }

    private static void requireKnownTokens(Path path, Tokenizer tokenizer, Model model)
            throws CheckpointFormatException {
        int vocabSize = model.dimensions().vocabSize();
        if (tokenizer.vocabSize() > vocabSize) {
            throw CheckpointFormatException.mismatch(
                    path + ": tokenizer",
                    "token ids below the model's vocab_size, " + vocabSize,
                    "ids up to " + (tokenizer.vocabSize() - 1),
                    "use the tokenizer that belongs to this model");
        }
    }

    private static String name(SetunProperties properties, String otherwise) {
        String name = properties.model().name();
        return name == null ? otherwise : name;
    }

    private static String directoryName(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        Path directory = Files.isRegularFile(absolute) ? absolute.getParent() : absolute;
        Path name = directory == null ? null : directory.getFileName();
        return name == null ? "model" : name.toString();
    }

    private static Instant modified(Path path) throws IOException {
        return Files.getLastModifiedTime(path).toInstant();
    }

    /** Returns the ids that end an answer: what the checkpoint's configuration says and what its tokenizer says. */
    Set<Integer> stopTokens() {
        Set<Integer> ids = new HashSet<>(loaded.defaults().stopTokenIds());
        ids.addAll(tokenizer.stopIds());
        return ids;
    }

    @Override
    public void close() {
        loaded.model().close();
        tokenizer.close();
    }
}
