package org.setun.kernel;

import java.util.List;

/** The kernels that the tests compare: all that the machine can run, so that a new one is covered by being possible. */
final class AvailableKernels {

    private AvailableKernels() {}

    /** Returns the names, the scalar kernel first. */
    static List<String> names() {
        return KernelSelection.possible().names().stream()
                .filter(name -> !name.equals(KernelSelection.AUTO))
                .toList();
    }

    /** Returns the names that differ for kernels whose vectors are all that there is to choose. */
    static List<String> widths() {
        return names().stream()
                .filter(name -> !name.equals(KernelSelection.LOOKUP))
                .filter(name -> NativeInstructions.named(name).isEmpty())
                .toList();
    }
}
