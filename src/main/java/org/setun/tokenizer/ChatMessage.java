package org.setun.tokenizer;

/**
 * One turn of a conversation.
 *
 * @param role who speaks: {@code system}, {@code user} or {@code assistant} for most templates
 * @param content what is said
 */
public record ChatMessage(String role, String content) {}
