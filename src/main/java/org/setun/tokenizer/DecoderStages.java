package org.setun.tokenizer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** Reads the {@code decoder} of a {@code tokenizer.json} into stages. */
final class DecoderStages {

    private static final String REMEDY = "use a tokenizer with a ByteLevel, Metaspace or byte-fallback decoder";

    private final Path file;
    private final List<DecoderStage> stages = new ArrayList<>();
    /** Whether the pieces are no longer tokens but arbitrary parts of one text. */
    private boolean fused;

    private DecoderStages(Path file) {
        this.file = file;
    }

    /** Returns the stages of a decoder, JSON null for none. */
    static List<DecoderStage> read(JsonNode decoder, Path file) throws TokenizerFormatException {
        if (decoder.isNull() || decoder.isMissingNode()) {
            return List.of(new DecoderStage.Join(" "));
        }
        DecoderStages reader = new DecoderStages(file);
        reader.add(decoder);
        return List.copyOf(reader.stages);
    }

    private void add(JsonNode decoder) throws TokenizerFormatException {
        String type = decoder.path("type").asString("");
        switch (type) {
            case "Sequence" -> {
                for (JsonNode part : decoder.path("decoders")) {
                    add(part);
                }
            }
            case "ByteLevel" -> {
                stages.add(new DecoderStage.ByteLevel());
                fused = true;
            }
            case "ByteFallback" -> {
                refuseIfFused(type);
                stages.add(new DecoderStage.ByteFallback());
            }
            case "Fuse" -> fused = true;
            case "Metaspace" -> {
                refuseIfFused(type);
                stages.add(metaspace(decoder));
            }
            case "Replace" -> stages.add(replace(decoder));
            case "Strip" -> stages.add(strip(decoder));
            default -> throw unsupported("'" + type + "'");
        }
    }

    private static DecoderStage metaspace(JsonNode decoder) {
        // Before prepend_scheme came, add_prefix_space said the same.
        boolean prefixed = decoder.has("prepend_scheme")
                ? !decoder.path("prepend_scheme").asString("").equals("never")
                : decoder.path("add_prefix_space").asBoolean(true);
        return new DecoderStage.Metaspace(decoder.path("replacement").asString("\u2581"), prefixed);
    }

    private DecoderStage replace(JsonNode decoder) throws TokenizerFormatException {
        String pattern = decoder.path("pattern").path("String").asString("");
        if (pattern.isEmpty()) {
            throw unsupported("'Replace' with a pattern other than a plain text");
        }
        if (fused && pattern.codePointCount(0, pattern.length()) > 1) {
            throw unsupported("'Replace' of several characters after the tokens are fused");
        }
        return new DecoderStage.Replace(pattern, decoder.path("content").asString(""));
    }

    private DecoderStage strip(JsonNode decoder) throws TokenizerFormatException {
        String content = decoder.path("content").asString(" ");
        int start = decoder.path("start").asInt(0);
        int stop = decoder.path("stop").asInt(0);
        if (content.isEmpty()) {
            throw unsupported("'Strip' of no character");
        }
        if (!fused) {
            return new DecoderStage.StripPieces(content, start, stop);
        }
        if (stop > 0) {
            throw unsupported("'Strip' at the end of the text");
        }
        return new DecoderStage.StripStart(content, start);
    }

    private void refuseIfFused(String type) throws TokenizerFormatException {
        if (fused) {
            throw unsupported("'" + type + "' after the tokens are fused");
        }
    }

    private TokenizerFormatException unsupported(String found) {
        return new TokenizerFormatException(
                file,
                "decoder: expected ByteLevel, Metaspace, ByteFallback, Fuse, Replace or Strip, found " + found,
                REMEDY);
    }
}
