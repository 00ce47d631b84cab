package org.setun.web;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import org.setun.generation.Prompt;
import org.setun.tokenizer.ChatMessage;
import tools.jackson.databind.JsonNode;

/** Reads the field {@code messages}: a conversation. */
final class MessagesField {

    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant");

    private MessagesField() {}

    /**
     * Returns the conversation.
     *
     * @throws ApiException if it is empty, or a message is not one that a chat template takes
     */
    static Prompt.Chat read(JsonNode messages) {
        if (!messages.isArray()) {
            throw JsonFields.wrongType("messages", "an array of messages", messages);
        }
        if (messages.isEmpty()) {
            throw ApiException.invalidValue(
                    "messages", "messages: expected at least one message, found an empty array");
        }
        List<ChatMessage> conversation = new ArrayList<>(messages.size());
        for (JsonNode message : messages) {
            conversation.add(message(JsonFields.object("messages[" + conversation.size() + "]", message)));
        }
        return new Prompt.Chat(conversation);
    }

    private static ChatMessage message(JsonFields fields) {
        String roleParam = fields.param("role");
        String role = JsonFields.string(roleParam, fields.required("role"));
        if (!ROLES.contains(role)) {
            throw ApiException.invalidValue(
                    roleParam, roleParam + ": expected system, developer, user or assistant, found '" + role + "'");
        }
        for (String call : List.of("tool_calls", "function_call")) {
            if (fields.any(call).isPresent()) {
                throw ApiException.unsupported(fields.param(call), fields.param(call) + ": tools are not supported");
            }
        }
        String content = content(fields.param("content"), fields.required("content"));
        // Templates know the older name of the same role.
        return new ChatMessage(role.equals("developer") ? "system" : role, content);
    }

    private static String content(String param, JsonNode content) {
        if (content.isString()) {
            return JsonFields.string(param, content);
        }
        if (!content.isArray()) {
            throw JsonFields.wrongType(param, "a string or an array of text parts", content);
        }
        // One part a line, as vLLM and llama-server join them.
        StringJoiner text = new StringJoiner("\n");
        for (int i = 0; i < content.size(); i++) {
            JsonFields part = JsonFields.object(param + "[" + i + "]", content.get(i));
            String typeParam = part.param("type");
            String type = JsonFields.string(typeParam, part.required("type"));
            if (!type.equals("text")) {
                throw ApiException.unsupported(
                        typeParam,
                        typeParam + ": expected text, the only kind that this model reads, found '" + type + "'");
            }
            text.add(JsonFields.string(part.param("text"), part.required("text")));
        }
        return text.toString();
    }
}
