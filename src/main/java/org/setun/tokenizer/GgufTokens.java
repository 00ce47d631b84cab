package org.setun.tokenizer;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What the tokens of a GGUF vocabulary are, and which of them have a role.
 *
 * <p>Several ids may have the same text. Each of them decodes to it, but only one can be what the text is encoded as: the
 * one with a role, else the lowest.
 */
final class GgufTokens {

    /** The longest list of tokens to look for in a text first; ten times that of any known model. */
    static final int MAX_ADDED = 1 << 14;

    /** Far more than any known token; readers of JSON take no names without end. */
    private static final int LONGEST_TOKEN = 1 << 14;

    private static final int UNDEFINED = 0;
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;
    private static final int BYTE = 6;

    /** What becomes of a token in a text. */
    enum Kind {
        /** It is what merging comes to. */
        TEXT,
        /** It is looked for first, and left out of decoded text where special tokens are. */
        SPECIAL,
        /** It is looked for first. */
        ADDED,
        /** It is one byte, for what no other token stands for. */
        BYTE,
        /** It fills the vocabulary up. */
        PADDING
    }

    private final GgufVocabulary vocabulary;
    private final Kind[] kinds;
    private final Map<String, Integer> ids = new HashMap<>();
    private final OptionalInt bos;
    private final OptionalInt eos;
    private final OptionalInt unknown;

    /** @throws TokenizerFormatException if there are too many or too long tokens, or types that do not exist */
    GgufTokens(GgufVocabulary vocabulary) throws TokenizerFormatException {
        this.vocabulary = vocabulary;
        int size = vocabulary.tokens().size();
        if (size > Vocabulary.MAX_SIZE) {
            throw vocabulary.fault("tokens", "expected at most " + Vocabulary.MAX_SIZE + " tokens, found " + size);
        }
        // llama.cpp's defaults for pieces with scores, where such tokens are there.
        boolean scored = vocabulary.model().equals(GgufTokenizerWriter.SCORED);
        this.bos = orElse(vocabulary.specialIds().bos(), scored ? 1 : size, CONTROL);
        this.eos = orElse(vocabulary.specialIds().eos(), scored ? 2 : size, CONTROL);
        this.unknown = orElse(vocabulary.specialIds().unknown(), scored ? 0 : size, UNKNOWN);
        this.kinds = new Kind[size];
        int added = 0;
        for (int id = 0; id < size; id++) {
            if (text(id).length() > LONGEST_TOKEN) {
                throw vocabulary.fault(
                        "tokens",
                        "expected tokens of at most " + LONGEST_TOKEN + " characters, found " + text(id).length()
                                + " in id " + id);
            }
            kinds[id] = kindOf(id);
            added += isAdded(id) ? 1 : 0;
        }
        if (added > MAX_ADDED) {
            throw vocabulary.fault(
                    "token_type", "expected at most " + MAX_ADDED + " control and user-defined tokens, found " + added);
        }
        roles().values().forEach(id -> ids.putIfAbsent(text(id), id));
        for (int id = 0; id < size; id++) {
            ids.putIfAbsent(text(id), id);
        }
    }

    private OptionalInt orElse(OptionalInt given, int id, int type) {
        return given.isEmpty() && id < size() && type(id) == type ? OptionalInt.of(id) : given;
    }

    private int type(int id) {
        int[] types = vocabulary.tokenTypes();
        return types.length == 0 ? UNDEFINED : types[id];
    }

    private Kind kindOf(int id) throws TokenizerFormatException {
        // Older conversions call these user-defined, which would make them mean something in a text.
        if (text(id).equals("[PAD" + id + "]")) {
            return Kind.PADDING;
        }
        return switch (type(id)) {
            case UNKNOWN, CONTROL -> Kind.SPECIAL;
            case USER_DEFINED -> Kind.ADDED;
            case BYTE -> Kind.BYTE;
            case UNDEFINED, NORMAL, UNUSED -> endsOrBegins(id) && looksSpecial(text(id)) ? Kind.SPECIAL : Kind.TEXT;
            default ->
                throw vocabulary.fault("token_type", "expected types from 0 to 6, found " + type(id) + " of id " + id);
        };
    }

    /** Some conversions write no types, or call a token normal that ends a text. */
    private boolean endsOrBegins(int id) {
        OptionalInt same = OptionalInt.of(id);
        return same.equals(bos)
                || same.equals(eos)
                || same.equals(vocabulary.specialIds().eot());
    }

    private static boolean looksSpecial(String text) {
        return (text.startsWith("<") && text.endsWith(">")) || (text.startsWith("[") && text.endsWith("]"));
    }

    int size() {
        return vocabulary.tokens().size();
    }

    String text(int id) {
        return vocabulary.tokens().get(id);
    }

    Kind kind(int id) {
        return kinds[id];
    }

    /** Tells whether a token is looked for in a text first. */
    boolean isAdded(int id) {
        return (kinds[id] == Kind.SPECIAL || kinds[id] == Kind.ADDED) && !text(id).isEmpty();
    }

    /** Returns the id that a token's text is encoded as, if it is a token. */
    OptionalInt id(String text) {
        Integer id = ids.get(text);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** Tells whether a token's text is encoded as another id. */
    boolean isDuplicate(int id) {
        return ids.getOrDefault(text(id), id) != id;
    }

    OptionalInt bos() {
        return bos;
    }

    OptionalInt eos() {
        return eos;
    }

    OptionalInt unknown() {
        return unknown;
    }

    /** Returns the ids of roles under the names that {@code tokenizer_config.json} has for them. */
    Map<String, Integer> roles() {
        Map<String, Integer> roles = new LinkedHashMap<>();
        GgufVocabulary.SpecialIds given = vocabulary.specialIds();
        bos.ifPresent(id -> roles.put("bos_token", id));
        eos.ifPresent(id -> roles.put("eos_token", id));
        given.eot().ifPresent(id -> roles.put("eot_token", id));
        unknown.ifPresent(id -> roles.put("unk_token", id));
        given.padding().ifPresent(id -> roles.put("pad_token", id));
        return roles;
    }

    /** Tells whether all of some texts are tokens. */
    boolean containsAll(List<String> texts) {
        return ids.keySet().containsAll(texts);
    }
}
