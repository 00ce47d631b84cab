package org.setun.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** What a single token stands for, by the stages that decode it: bytes, as a token may be a part of a character. */
final class TokenBytes {

    private TokenBytes() {}

    /** Returns the bytes of {@code token} in the midst of a text, where no stage removes its space. */
    static byte[] of(String token, List<DecoderStage> stages) {
        String piece = token;
        for (DecoderStage stage : stages) {
            switch (stage) {
                case DecoderStage.ByteLevel level -> {
                    return ByteLevelSink.bytes(piece);
                }
                case DecoderStage.ByteFallback fallback -> {
                    int value = ByteFallbackSink.byteValue(piece);
                    if (value >= 0) {
                        return new byte[] {(byte) value};
                    }
                }
                case DecoderStage.Replace replace -> piece = piece.replace(replace.pattern(), replace.content());
                case DecoderStage.Metaspace space -> piece = piece.replace(space.replacement(), " ");
                case DecoderStage.StripPieces strip -> piece = strip.strip(piece);
                case DecoderStage.StripStart start -> {}
                case DecoderStage.Join join -> piece = join.separator() + piece;
            }
        }
        return piece.getBytes(StandardCharsets.UTF_8);
    }
}
