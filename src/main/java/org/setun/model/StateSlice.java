package org.setun.model;

/**
 * Where a layer's part of every sequence's memory lies.
 *
 * @param recurrentOffset byte within {@link SequenceState#recurrent} at which it begins
 * @param pageOffset byte within each of {@link SequenceState#pages} at which it begins
 * @param pageTokens tokens of a page
 */
record StateSlice(long recurrentOffset, long pageOffset, int pageTokens) {}
