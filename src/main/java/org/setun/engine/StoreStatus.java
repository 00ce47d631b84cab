package org.setun.engine;

/**
 * What a {@link PrefixStore} has done.
 *
 * @param queries sequences that were looked up
 * @param hits those of which a beginning was found
 * @param errors commands that failed or took too long
 * @param invalid values that were not what had been saved
 * @param saved states that were saved
 * @param dropped states that were too large, or came while too many waited or the store was out of reach
 * @param writtenBytes the size of the saved ones
 */
public record StoreStatus(
        long queries, long hits, long errors, long invalid, long saved, long dropped, long writtenBytes) {}
