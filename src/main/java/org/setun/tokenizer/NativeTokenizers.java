package org.setun.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Opens Hugging Face's native tokenizer library through DJL, which unpacks it from its jar. DJL is kept from the network
 * (it would look for GPU builds and report its use) and given a directory that this user can write to and nobody else
 * can fill.
 */
final class NativeTokenizers {

    private static final String CACHE = "DJL_CACHE_DIR";

    /** The library as it is, nothing cut off and nothing filled up. */
    private static final Map<String, String> OPTIONS = Map.of("truncation", "false", "padding", "false");

    static {
        setIfAbsent("DJL_OFFLINE", "ai.djl.offline", () -> "true");
        setIfAbsent("OPT_OUT_TRACKING", "OPT_OUT_TRACKING", () -> "true");
        setIfAbsent(CACHE, CACHE, () -> cacheDirectory().toString());
    }

    private NativeTokenizers() {}

    private static void setIfAbsent(String environmentVariable, String property, Supplier<String> value) {
        if (System.getenv(environmentVariable) == null && System.getProperty(property) == null) {
            System.setProperty(property, value.get());
        }
    }

    /** The user's cache directory, or where there is none, as in a read-only container, a private temporary one. */
    private static Path cacheDirectory() {
        Path home = Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
                .filter(path -> !path.isBlank())
                .map(Path::of)
                .orElseGet(() -> Path.of(System.getProperty("user.home", "."), ".cache"));
        try {
            Path cache = Files.createDirectories(home.resolve("setun"));
            if (Files.isWritable(cache)) {
                return cache;
            }
        } catch (IOException notWritable) {
            // A home that cannot be written to is no fault.
        }
        try {
            return Files.createTempDirectory("setun-native");
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "no directory to unpack the tokenizer library into; set DJL_CACHE_DIR to a writable one", e);
        }
    }

    /** Opens a {@code tokenizer.json}. The caller closes it. */
    static HuggingFaceTokenizer open(Path file) throws TokenizerFormatException {
        try (InputStream json = Files.newInputStream(file)) {
            return open(file, json);
        } catch (IOException e) {
            throw new TokenizerFormatException(file, "expected a readable file, found: " + e, "repair it", e);
        }
    }

    /** Opens a {@code tokenizer.json} that was made from {@code source}. The caller closes what is returned. */
    static HuggingFaceTokenizer open(Path source, InputStream json) throws TokenizerFormatException {
        try {
            return HuggingFaceTokenizer.newInstance(json, OPTIONS);
        } catch (IOException | RuntimeException e) {
            throw new TokenizerFormatException(
                    source,
                    "expected a tokenizer of Hugging Face's tokenizers library, found: " + e.getMessage(),
                    "use the tokenizer.json that was published with the model",
                    e);
        }
    }
}
