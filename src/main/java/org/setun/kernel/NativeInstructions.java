package org.setun.kernel;

import java.util.Arrays;
import java.util.Optional;
import org.setun.tensor.TernaryLayout;

/** The instruction sets for which there are ternary products in C, the fastest for decoding first. */
enum NativeInstructions {

    /** AVX-512 with VNNI and VBMI: weights in base 3, looked up for few tokens and multiplied for more. */
    VBMI512("vbmi512", 1, 512),

    /** AVX-512 with VNNI: weights in cells, multiplied. Faster than {@link #VBMI512} for batches, slower for one sequence. */
    VNNI512("vnni512", 2, 512),

    /** AVX2: weights in cells, multiplied. */
    AVX2("avx2", 4, 256),

    /** NEON with the dot product: weights in cells, multiplied. */
    NEON("neon", 8, 128);

    private final String label;
    private final int bit;
    private final int bits;

    NativeInstructions(String label, int bit, int bits) {
        this.label = label;
        this.bit = bit;
        this.bits = bits;
    }

    /** Returns the instruction set of the kernel of that name, if there is one. */
    static Optional<NativeInstructions> named(String kernel) {
        return Arrays.stream(values())
                .filter(set -> set.kernelName().equals(kernel))
                .findFirst();
    }

    /** Returns the name of the kernel. */
    String kernelName() {
        return "native-" + label;
    }

    /** Returns the name of the function in C. */
    String symbol() {
        return "setun_" + label;
    }

    /** Returns the bit of this set in what the library's {@code setun_kernels} returns. */
    int bit() {
        return bit;
    }

    /** Returns the width of the vectors that everything but the products uses. */
    int bits() {
        return bits;
    }

    ColumnPolicy columnPolicy() {
        return this == VBMI512 ? ColumnPolicy.AGAINST_NATIVE_LOOKUP : ColumnPolicy.AGAINST_NATIVE;
    }

    /** Returns the layout of weights where {@code threads} threads share the rows. */
    TernaryLayout layout(int threads) {
        return this == VBMI512 ? new TernaryLayout.Base3(threads) : new TernaryLayout.Cells();
    }
}
