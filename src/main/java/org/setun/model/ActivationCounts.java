package org.setun.model;

/**
 * How many int8 activations the products of each layer have been given, and how many of those were zero, be it by their
 * values or by sparsity. For the thread that runs the forward passes.
 */
public final class ActivationCounts {

    private final long[] elements;
    private final long[] zeros;

    /** Starts from nothing, for {@code layers} layers. */
    ActivationCounts(int layers) {
        this.elements = new long[layers];
        this.zeros = new long[layers];
    }

    /** Adds what a layer's products were given in one forward pass. */
    void add(int layer, long newElements, long newZeros) {
        elements[layer] += newElements;
        zeros[layer] += newZeros;
    }

    /** Returns the number of layers; the output head is none. */
    public int layers() {
        return elements.length;
    }

    /** Returns how many activations the products of layer {@code layer} have been given. Codes that two share count once. */
    public long elements(int layer) {
        return elements[layer];
    }

    /** Returns how many of {@link #elements} were zero. */
    public long zeros(int layer) {
        return zeros[layer];
    }
}
