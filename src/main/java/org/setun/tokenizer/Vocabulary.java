package org.setun.tokenizer;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The tokens of a tokenizer by id, and which of them are special. Immutable once built. */
final class Vocabulary {

    /** Ten times the largest vocabulary in use; a higher id is a damaged file, not a reason to fill the memory. */
    static final int MAX_SIZE = 1 << 22;

    private final @Nullable String[] tokens;
    private final Map<String, Integer> ids;
    private final BitSet special;

    private Vocabulary(@Nullable String[] tokens, Map<String, Integer> ids, BitSet special) {
        this.tokens = tokens;
        this.ids = ids;
        this.special = special;
    }

    /** Returns the highest id plus one. */
    int size() {
        return tokens.length;
    }

    /** Tells whether a token has this id. */
    boolean contains(int id) {
        return id >= 0 && id < tokens.length && tokens[id] != null;
    }

    /**
     * Returns the token of an id.
     *
     * @throws IllegalArgumentException if the id is not in the vocabulary
     */
    String token(int id) {
        String token = id >= 0 && id < tokens.length ? tokens[id] : null;
        if (token == null) {
            throw new IllegalArgumentException(
                    "token id " + id + " is not in the tokenizer's vocabulary of " + tokens.length);
        }
        return token;
    }

    /** Returns the id of a token, if there is such a token. */
    OptionalInt id(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** Tells whether an id is a special token, which decoding may leave out. */
    boolean isSpecial(int id) {
        return special.get(id);
    }

    /** Collects tokens in any order; later ones replace earlier ones of the same id, as added tokens do. */
    static final class Builder {

        private final Map<Integer, String> tokens = new HashMap<>();
        private final Map<String, Integer> ids = new HashMap<>();
        private final BitSet special = new BitSet();
        private int size;

        /**
         * Adds a token.
         *
         * @throws IllegalArgumentException if the id is negative or {@link #MAX_SIZE} or more
         */
        void add(String token, long id, boolean isSpecial) {
            if (id < 0 || id >= MAX_SIZE) {
                throw new IllegalArgumentException(
                        "expected token ids from 0 to " + (MAX_SIZE - 1) + ", found " + id + " for '" + token + "'");
            }
            int index = (int) id;
            tokens.put(index, token);
            ids.put(token, index);
            special.set(index, isSpecial);
            size = Math.max(size, index + 1);
        }

        Vocabulary build() {
            @Nullable String[] byId = new @Nullable String[size];
            tokens.forEach((id, token) -> byId[id] = token);
            return new Vocabulary(byId, ids, special);
        }
    }
}
