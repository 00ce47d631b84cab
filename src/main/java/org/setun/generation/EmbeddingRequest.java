package org.setun.generation;

import org.setun.engine.Urgency;

/**
 * A request for the vector of a text.
 *
 * @param id names the request in logs and events
 * @param input what to embed
 * @param urgency how soon it is wanted
 */
public record EmbeddingRequest(String id, Prompt input, Urgency urgency) {}
