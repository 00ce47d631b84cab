package org.setun.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The tokenizer of a checkpoint directory. Encoding is the native library's; decoding is done here, from the same file,
 * because the library decodes whole sequences only.
 *
 * <p>{@code clean_up_tokenization_spaces} has no effect: it would make text that has been streamed change later.
 */
final class CheckpointTokenizer implements Tokenizer {

    /** Of the Llama 3 family, whose files name another token as eos. */
    private static final String END_OF_TURN = "<|eot_id|>";

    private final HuggingFaceTokenizer encoder;
    private final TokenizerJson tokenizer;
    private final TokenizerConfig config;
    private final Optional<ChatTemplate> chatTemplate;
    /** Encoders share it; closing waits for them, because the native side does not check. */
    private final ReadWriteLock lifetime = new ReentrantReadWriteLock();

    private CheckpointTokenizer(HuggingFaceTokenizer encoder, TokenizerJson tokenizer, TokenizerConfig config) {
        this.encoder = encoder;
        this.tokenizer = tokenizer;
        this.config = config;
        this.chatTemplate = config.chatTemplate().map(source -> new ChatTemplate(source, config.specialTokens()));
    }

    static CheckpointTokenizer load(Path checkpoint) throws TokenizerFormatException {
        Path directory = Files.isRegularFile(checkpoint)
                ? checkpoint.toAbsolutePath().normalize().getParent()
                : checkpoint;
        if (directory == null) {
            throw new IllegalArgumentException(checkpoint + " is in no directory");
        }
        Path file = directory.resolve(TokenizerFiles.TOKENIZER);
        TokenizerJson tokenizer = TokenizerJson.read(file);
        TokenizerConfig config = TokenizerConfig.read(directory);
        return new CheckpointTokenizer(NativeTokenizers.open(file), tokenizer, config);
    }

    static CheckpointTokenizer load(GgufVocabulary vocabulary) throws TokenizerFormatException {
        Path file = vocabulary.file();
        TokenizerFiles documents = TokenizerFiles.of(vocabulary);
        TokenizerJson tokenizer = TokenizerJson.read(file, documents.tokenizer());
        TokenizerConfig config = TokenizerConfig.read(file, documents.config());
        HuggingFaceTokenizer encoder = NativeTokenizers.open(file, new ByteArrayInputStream(documents.tokenizer()));
        return new CheckpointTokenizer(encoder, tokenizer, config);
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        Lock alive = lifetime.readLock();
        alive.lock();
        try {
            long[] ids = encoder.encode(withoutLoneSurrogates(text), addSpecialTokens, false)
                    .getIds();
            int[] result = new int[ids.length];
            for (int i = 0; i < ids.length; i++) {
                result[i] = Math.toIntExact(ids[i]);
            }
            return result;
        } finally {
            alive.unlock();
        }
    }

    /** A lone surrogate has no UTF-8 form; on its way to the native side it would spoil the whole text. */
    private static String withoutLoneSurrogates(String text) {
        if (text.codePoints().noneMatch(CheckpointTokenizer::isSurrogate)) {
            return text;
        }
        return text.codePoints()
                .map(codePoint -> isSurrogate(codePoint) ? Utf8Assembler.REPLACEMENT : codePoint)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private static boolean isSurrogate(int codePoint) {
        return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        IncrementalDecoder decoder = decoder(skipSpecialTokens);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.append(id));
        }
        return text.append(decoder.flush()).toString();
    }

    @Override
    public IncrementalDecoder decoder(boolean skipSpecialTokens) {
        return new StagedDecoder(tokenizer.vocabulary(), tokenizer.decoder(), skipSpecialTokens);
    }

    @Override
    public byte[] tokenBytes(int id) {
        Vocabulary vocabulary = tokenizer.vocabulary();
        return vocabulary.contains(id) ? TokenBytes.of(vocabulary.token(id), tokenizer.decoder()) : new byte[0];
    }

    @Override
    public int vocabSize() {
        return tokenizer.vocabulary().size();
    }

    @Override
    public OptionalInt tokenId(String token) {
        return tokenizer.vocabulary().id(token);
    }

    @Override
    public OptionalInt bosId() {
        return specialId("bos_token");
    }

    @Override
    public OptionalInt eosId() {
        return specialId("eos_token");
    }

    @Override
    public Set<Integer> stopIds() {
        return Stream.of(eosId(), specialId("eot_token"), tokenId(END_OF_TURN))
                .flatMapToInt(OptionalInt::stream)
                .boxed()
                .collect(Collectors.toUnmodifiableSet());
    }

    private OptionalInt specialId(String role) {
        String token = config.specialTokens().get(role);
        return token == null ? OptionalInt.empty() : tokenId(token);
    }

    @Override
    public boolean hasChatTemplate() {
        return chatTemplate.isPresent();
    }

    @Override
    public String renderChat(List<ChatMessage> messages, boolean addGenerationPrompt) throws ChatTemplateException {
        ChatTemplate template = chatTemplate.orElseThrow(() -> new ChatTemplateException(
                "the model has no chat template; send a plain prompt to /v1/completions, or add chat_template to its"
                        + " tokenizer_config.json"));
        return template.render(messages, addGenerationPrompt);
    }

    @Override
    public void close() {
        Lock ending = lifetime.writeLock();
        ending.lock();
        try {
            encoder.close();
        } finally {
            ending.unlock();
        }
    }
}
