package org.setun.cli.load;

import java.util.OptionalDouble;

/**
 * What requests ask for.
 *
 * @param promptTokens how long the part of a prompt is that no other request has
 * @param outputTokens how many tokens to generate
 * @param sharedPrefix tokens before that, which all requests of a group have; 0 for none
 * @param prefixGroups how many such beginnings there are, one drawn for each request; at least 1
 * @param ignoreEos whether to ask the server to generate all of them, whatever the model would rather do
 * @param temperature how tokens are drawn; empty for the server's own choice
 */
public record Workload(
        Lengths promptTokens,
        Lengths outputTokens,
        int sharedPrefix,
        int prefixGroups,
        boolean ignoreEos,
        OptionalDouble temperature) {}
