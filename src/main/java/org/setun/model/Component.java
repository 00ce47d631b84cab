package org.setun.model;

/** A part of a network, for accounts of what its weights cost. */
public enum Component {
    /** The token mixers: recurrences and attention. */
    MIXER,
    /** The channel mixers that are gated MLPs. */
    CHANNEL,
    /** The channel mixers that retrieve experts. */
    PEER,
    /** The output head. */
    HEAD,
    /** The embedding of token ids. */
    EMBEDDING
}
