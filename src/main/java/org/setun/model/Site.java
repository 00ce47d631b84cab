package org.setun.model;

/**
 * Where in a network weights are read and multiplied: a product, or a few that read one kind of input. Activations are counted as
 * the input of a site, in the int8 codes that its ternary products are given; where weights are floats there are no codes, and
 * so no activations to count.
 */
public enum Site {
    /** The rows of token ids. */
    EMBEDDING(0, Component.EMBEDDING),
    /** The projections that a token mixer begins with: input, forget and gate, or query, key and value. */
    MIXER_IN(1, Component.MIXER),
    /** Queries times keys and weights times values; has no weights and no codes. */
    ATTENTION(2, Component.MIXER),
    /** The output projection of a token mixer. */
    MIXER_OUT(3, Component.MIXER),
    /** The gate and up projections of a gated MLP. */
    CHANNEL_IN(4, Component.CHANNEL),
    /** The down projection of a gated MLP. */
    CHANNEL_DOWN(5, Component.CHANNEL),
    /** The projection to the queries that experts are retrieved by. */
    PEER_QUERY(6, Component.PEER),
    /** The keys of experts, and the rows of those that are retrieved. */
    PEER_EXPERTS(7, Component.PEER),
    /** The output head. */
    HEAD(8, Component.HEAD);

    private final int index;
    private final Component component;

    Site(int index, Component component) {
        this.index = index;
        this.component = component;
    }

    /** Returns the part of the network that this site belongs to. */
    public Component component() {
        return component;
    }

    /** Returns its number, from 0 on. */
    int index() {
        return index;
    }
}
