package org.setun.web;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.setun.generation.Prompt;
import org.setun.tokenizer.ChatTemplateException;
import org.setun.tokenizer.Tokenizer;
import tools.jackson.databind.JsonNode;

/**
 * Tokenises, detokenises and renders conversations. llama-server asks with {@code content}, vLLM with {@code prompt} or {@code messages};
 * each gets the answer of its own form. Thread-safe.
 */
final class TokenCalls {

    private final Tokenizer tokenizer;
    private final ServedModel model;
    private final int contextLength;

    TokenCalls(Tokenizer tokenizer, ServedModel model, int contextLength) {
        this.tokenizer = tokenizer;
        this.model = model;
        this.contextLength = contextLength;
    }

    /**
     * Answers {@code POST /tokenize}.
     *
     * @throws ApiException if the fields do not say what to tokenise
     */
    Object tokenize(JsonFields fields) {
        model.check(fields);
        Optional<String> content = fields.string("content");
        Optional<String> prompt = fields.string("prompt");
        Optional<JsonNode> messages = fields.any("messages");
        long given = List.of(content, prompt, messages).stream()
                .filter(Optional::isPresent)
                .count();
        if (given == 0) {
            throw ApiException.badRequest(
                    "content",
                    "missing_required_parameter",
                    "content: expected a text, or prompt or messages in its place, found none of them");
        }
        if (given > 1) {
            throw ApiException.invalidValue(
                    "content", "content: expected one of content, prompt and messages, found " + given);
        }
        if (content.isPresent()) {
            return ofContent(fields, content.get());
        }
        int[] ids = prompt.isPresent()
                ? tokenizer.encode(prompt.get(), fields.flag("add_special_tokens", true))
                : tokenizer.encode(render(fields, messages.orElseThrow()), fields.flag("add_special_tokens", false));
        return new Counted(
                ids.length, contextLength, list(ids), fields.flag("return_token_strs", false) ? names(ids) : null);
    }

    private Object ofContent(JsonFields fields, String content) {
        UnsupportedFields.TOKENIZE.check(fields);
        int[] ids = tokenizer.encode(content, fields.flag("add_special", false));
        return new Tokens(
                fields.flag("with_pieces", false)
                        ? Arrays.stream(ids).mapToObj(this::piece).toList()
                        : list(ids));
    }

    private Object piece(int id) {
        List<Integer> bytes = TokenName.bytes(tokenizer.tokenBytes(id));
        return new Piece(id, TokenName.text(bytes).<Object>map(text -> text).orElse(bytes));
    }

    private List<String> names(int[] ids) {
        return Arrays.stream(ids)
                .mapToObj(id -> TokenName.inChat(TokenName.bytes(tokenizer.tokenBytes(id))))
                .toList();
    }

    /**
     * Answers {@code POST /detokenize}: the text under the names of both servers, as both ask with {@code tokens}. Special tokens are
     * shown, as both do.
     *
     * @throws ApiException if there are no tokens, or one that the tokenizer does not have
     */
    Object detokenize(JsonFields fields) {
        model.check(fields);
        List<Integer> ids = PromptField.ids("tokens", fields.required("tokens"));
        for (int i = 0; i < ids.size(); i++) {
            if (tokenizer.tokenBytes(ids.get(i)).length == 0) {
                throw ApiException.invalidValue(
                        "tokens[" + i + "]",
                        "tokens[" + i + "]: expected an id in the tokenizer's vocabulary of " + tokenizer.vocabSize()
                                + ", found " + ids.get(i));
            }
        }
        String text = tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray(), false);
        return new Detokenized(text, text);
    }

    /**
     * Answers {@code POST /apply-template}.
     *
     * @throws ApiException if there are no messages, or the template refuses them
     */
    Object applyTemplate(JsonFields fields) {
        model.check(fields);
        return new Rendered(render(fields, fields.required("messages")));
    }

    private String render(JsonFields fields, JsonNode messages) {
        Prompt.Chat chat = MessagesField.read(messages);
        UnsupportedFields.TEMPLATE.check(fields);
        try {
            return tokenizer.renderChat(chat.messages(), fields.flag("add_generation_prompt", true));
        } catch (ChatTemplateException e) {
            throw ApiException.invalidValue(
                    "messages", "messages: expected some that fit the chat template: " + e.getMessage());
        }
    }

    private static List<Object> list(int[] ids) {
        return new ArrayList<>(Arrays.stream(ids).boxed().toList());
    }

    /** llama-server's answer: ids, or pieces if wanted. */
    private record Tokens(List<Object> tokens) {}

    /** A token; {@code piece} is its text, or its bytes where they are not UTF-8. */
    private record Piece(int id, Object piece) {}

    /** vLLM's answer. */
    private record Counted(
            int count,
            int maxModelLen,
            List<Object> tokens,
            @Nullable List<String> tokenStrs) {}

    private record Detokenized(String content, String prompt) {}

    private record Rendered(String prompt) {}
}
