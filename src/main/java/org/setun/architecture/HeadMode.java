package org.setun.architecture;

/** How logits are computed where only the largest matter. Which tokens are chosen is the same for all modes. */
public enum HeadMode {
    /** Screened for heads of floats so large that reading them is a noticeable part of a step, else exact. */
    AUTO,

    /** All from the head as it is stored. */
    EXACT,

    /** Estimated from eight bits a weight, which are kept beside the head; the candidates then from the head as it is stored. */
    SCREENED
}
