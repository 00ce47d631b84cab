package org.setun.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The secret that shows the hub who asks. Nothing that prints it exists: it only leaves as a header's value. */
final class AccessToken {

    private static final String TOKEN = "HF_TOKEN";
    private static final String OLDER_TOKEN = "HUGGING_FACE_HUB_TOKEN";
    private static final String TOKEN_FILE = "HF_TOKEN_PATH";
    private static final String HOME = "HF_HOME";
    private static final String CACHE_HOME = "XDG_CACHE_HOME";
    private static final int LONGEST = 4096;

    private final String secret;

    private AccessToken(String secret) {
        this.secret = secret;
    }

    /**
     * Finds the token where the Hugging Face tools keep it: {@code HF_TOKEN}, {@code HUGGING_FACE_HUB_TOKEN}, or the file
     * that {@code HF_TOKEN_PATH}, {@code HF_HOME} or the cache directory name.
     *
     * @throws HubException if there is one that cannot be sent
     * @throws IOException if the token's file is there and cannot be read
     */
    static Optional<AccessToken> find(Map<String, String> environment, Path userHome) throws HubException, IOException {
        for (String variable : new String[] {TOKEN, OLDER_TOKEN}) {
            Optional<AccessToken> token = of(variable, environment.getOrDefault(variable, ""));
            if (token.isPresent()) {
                return token;
            }
        }
        Path file = file(environment, userHome);
        try {
            return of(file.toString(), Files.readString(file, StandardCharsets.ISO_8859_1));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static Path file(Map<String, String> environment, Path userHome) {
        @Nullable String file = environment.get(TOKEN_FILE);
        if (file != null && !file.isBlank()) {
            return Path.of(file);
        }
        @Nullable String home = environment.get(HOME);
        if (home != null && !home.isBlank()) {
            return Path.of(home, "token");
        }
        @Nullable String cache = environment.get(CACHE_HOME);
        Path caches = cache == null || cache.isBlank() ? userHome.resolve(".cache") : Path.of(cache);
        return caches.resolve("huggingface").resolve("token");
    }

    /** Returns the token in {@code text}, if there is one; the message of the exception does not show it. */
    static Optional<AccessToken> of(String where, String text) throws HubException {
        String secret = text.strip();
        if (secret.isEmpty()) {
            return Optional.empty();
        }
        if (secret.length() > LONGEST || secret.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            throw new HubException(
                    where + ": expected an access token of visible ASCII characters, found others; set it anew");
        }
        return Optional.of(new AccessToken(secret));
    }

    /** Returns the value of an Authorization header. */
    String authorization() {
        return "Bearer " + secret;
    }

    @Override
    public String toString() {
        return "AccessToken[hidden]";
    }
}
