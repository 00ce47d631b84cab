package org.setun.engine;

/**
 * How much of their memory running sequences take at a moment. What only the prefix cache holds does not count: it is given up when a
 * sequence needs it.
 *
 * @param stateBytes recurrent states; 0 for a model without
 * @param maxStateBytes what those may take
 * @param pageBytes pages of keys and values, each counted once, however many sequences share it; 0 for a model without
 * @param maxPageBytes what those may take
 */
public record MemoryStatus(long stateBytes, long maxStateBytes, long pageBytes, long maxPageBytes) {}
