package org.setun.web;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** How an answer names a token whose bytes need not be text. */
final class TokenName {

    private TokenName() {}

    /** Returns bytes as numbers from 0 to 255. */
    static List<Integer> bytes(byte[] bytes) {
        return IntStream.range(0, bytes.length)
                .mapToObj(i -> Byte.toUnsignedInt(bytes[i]))
                .toList();
    }

    /** Returns the text of {@code bytes} if they are UTF-8. */
    static Optional<String> text(List<Integer> bytes) {
        ByteBuffer buffer = ByteBuffer.allocate(bytes.size());
        bytes.forEach(value -> buffer.put(value.byteValue()));
        try {
            return Optional.of(
                    StandardCharsets.UTF_8.newDecoder().decode(buffer.flip()).toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    /** Returns a token's name in a chat answer, which shows other bytes than text as in {@code \xe2\x82}. */
    static String inChat(List<Integer> bytes) {
        return text(bytes).orElseGet(() -> escaped(bytes));
    }

    /** Returns a token's name in a completion, which says {@code bytes:} before other bytes than text. */
    static String inCompletion(List<Integer> bytes) {
        return text(bytes).orElseGet(() -> "bytes:" + escaped(bytes));
    }

    private static String escaped(List<Integer> bytes) {
        return bytes.stream().map("\\x%02x"::formatted).collect(Collectors.joining());
    }
}
