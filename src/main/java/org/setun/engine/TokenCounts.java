package org.setun.engine;

/**
 * The tokens of a request.
 *
 * @param prompt the prompt's length
 * @param cached how many of the prompt's first tokens were not computed, as their state was known
 * @param completion how many tokens were generated, a final stop token included
 */
public record TokenCounts(int prompt, int cached, int completion) {}
