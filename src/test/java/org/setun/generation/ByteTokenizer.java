package org.setun.generation;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.setun.tokenizer.ChatMessage;
import org.setun.tokenizer.ChatTemplateException;
import org.setun.tokenizer.IncrementalDecoder;
import org.setun.tokenizer.Tokenizer;

/** One token for each byte of UTF-8, so that most characters beyond ASCII are split; and two special tokens. */
final class ByteTokenizer implements Tokenizer {

    static final int BOS = 256;
    static final int EOS = 257;
    static final int VOCAB = 258;

    private final boolean addsBos;

    ByteTokenizer(boolean addsBos) {
        this.addsBos = addsBos;
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        IntStream bos = addsBos && addSpecialTokens ? IntStream.of(BOS) : IntStream.empty();
        return IntStream.concat(bos, IntStream.range(0, bytes.length).map(i -> bytes[i] & 0xff))
                .toArray();
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            if (id < 256) {
                bytes.write(id);
            } else if (!skipSpecialTokens) {
                bytes.writeBytes(id == BOS ? new byte[] {'^'} : new byte[] {'$'});
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Override
    public IncrementalDecoder decoder(boolean skipSpecialTokens) {
        CharsetDecoder utf8 = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPLACE)
                .onUnmappableCharacter(CodingErrorAction.REPLACE);
        ByteBuffer held = ByteBuffer.allocate(8);
        return new IncrementalDecoder() {
            @Override
            public String append(int id) {
                if (id < 256) {
                    held.put((byte) id);
                }
                return decodeHeld(false);
            }

            @Override
            public String flush() {
                return decodeHeld(true);
            }

            private String decodeHeld(boolean end) {
                CharBuffer chars = CharBuffer.allocate(8);
                held.flip();
                utf8.decode(held, chars, end);
                held.compact();
                return chars.flip().toString();
            }
        };
    }

    @Override
    public byte[] tokenBytes(int id) {
        return id < 256 ? new byte[] {(byte) id} : new byte[] {(byte) (id == BOS ? '^' : '$')};
    }

    @Override
    public int vocabSize() {
        return VOCAB;
    }

    @Override
    public OptionalInt tokenId(String token) {
        return switch (token) {
            case "^" -> OptionalInt.of(BOS);
            case "$" -> OptionalInt.of(EOS);
            default -> OptionalInt.empty();
        };
    }

    @Override
    public OptionalInt bosId() {
        return OptionalInt.of(BOS);
    }

    @Override
    public OptionalInt eosId() {
        return OptionalInt.of(EOS);
    }

    @Override
    public Set<Integer> stopIds() {
        return Set.of(EOS);
    }

    @Override
    public boolean hasChatTemplate() {
        return true;
    }

    @Override
    public String renderChat(List<ChatMessage> messages, boolean addGenerationPrompt) throws ChatTemplateException {
        if (messages.isEmpty()) {
            throw new ChatTemplateException("there are no messages");
        }
        return messages.stream()
                .map(message -> message.role() + ":" + message.content() + "\n")
                .collect(Collectors.joining("", "", addGenerationPrompt ? "assistant:" : ""));
    }

    @Override
    public void close() {}
}
