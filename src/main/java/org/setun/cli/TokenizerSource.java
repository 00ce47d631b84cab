package org.setun.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.setun.checkpoint.Checkpoint;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.EmbeddedVocabulary;
import org.setun.checkpoint.GgufCheckpoint;
import org.setun.tokenizer.GgufVocabulary;
import org.setun.tokenizer.Tokenizer;
import org.setun.tokenizer.TokenizerFiles;
import org.setun.tokenizer.TokenizerFormatException;

/**
 * Where the tokenizer of a checkpoint is: in the files of its directory, or else in the checkpoint itself, if that is a GGUF
 * model that carries one.
 */
public final class TokenizerSource {

    private static final String TOKENIZER = "tokenizer.json";

    private TokenizerSource() {}

    /**
     * Opens the tokenizer of a checkpoint. The caller closes it.
     *
     * @param checkpoint a checkpoint's directory, or a file in it
     * @throws TokenizerFormatException if there is no tokenizer, or one that this version cannot read
     * @throws CheckpointFormatException if the checkpoint, opened for its tokenizer, is damaged
     * @throws IOException if the checkpoint cannot be read
     */
    public static Tokenizer open(Path checkpoint)
            throws TokenizerFormatException, CheckpointFormatException, IOException {
        Optional<GgufVocabulary> embedded = embeddedVocabulary(checkpoint);
        return embedded.isPresent() ? Tokenizer.load(embedded.get()) : Tokenizer.load(checkpoint);
    }

    /**
     * Returns the files that a checkpoint's tokenizer amounts to, if the checkpoint carries it and has no such files.
     *
     * @throws TokenizerFormatException if this version cannot read the tokenizer
     * @throws CheckpointFormatException if the checkpoint is damaged
     * @throws IOException if the checkpoint cannot be read
     */
    static Optional<TokenizerFiles> embeddedFiles(Path checkpoint)
            throws TokenizerFormatException, CheckpointFormatException, IOException {
        Optional<GgufVocabulary> embedded = embeddedVocabulary(checkpoint);
        return embedded.isPresent() ? Optional.of(TokenizerFiles.of(embedded.get())) : Optional.empty();
    }

    private static Optional<GgufVocabulary> embeddedVocabulary(Path path)
            throws CheckpointFormatException, IOException {
        boolean isDirectory = Files.isDirectory(path);
        Path beside = isDirectory ? path.resolve(TOKENIZER) : path.resolveSibling(TOKENIZER);
        // What cannot be a GGUF model is left to those who say what a tokenizer or a checkpoint has to be.
        if (Files.exists(beside) || !Files.exists(path) || (isDirectory && !hasGguf(path))) {
            return Optional.empty();
        }
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return checkpoint instanceof GgufCheckpoint gguf && gguf.hasVocabulary()
                    ? Optional.of(convert(path, gguf.vocabulary()))
                    : Optional.empty();
        }
    }

    private static boolean hasGguf(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.anyMatch(file -> file.toString().endsWith(".gguf"));
        }
    }

    private static GgufVocabulary convert(Path path, EmbeddedVocabulary vocabulary) {
        EmbeddedVocabulary.SpecialIds ids = vocabulary.specialIds();
        return new GgufVocabulary(
                path,
                vocabulary.model(),
                vocabulary.pre(),
                vocabulary.tokens(),
                vocabulary.tokenTypes(),
                vocabulary.scores(),
                vocabulary.merges(),
                new GgufVocabulary.SpecialIds(ids.bos(), ids.eos(), ids.eot(), ids.unknown(), ids.padding()),
                vocabulary.addBos(),
                vocabulary.addEos(),
                vocabulary.addSpacePrefix(),
                vocabulary.chatTemplate());
    }
}
