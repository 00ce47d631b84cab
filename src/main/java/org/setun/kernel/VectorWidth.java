package org.setun.kernel;

import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.setun.tensor.ElementType;

/** Makes one vector kernel source serve every vector width at full speed: see {@link SpecializedCopy}. */
final class VectorWidth {

    /**
     * What a copy takes its constants from.
     *
     * @param bits the width of its vectors
     * @param elements how what it reads is stored; of no meaning to kernels that do not ask
     */
    private record Width(int bits, ElementType elements) {}

    private VectorWidth() {}

    /**
     * Returns an instance of {@code kernel} for vectors of {@code bits} bits.
     *
     * @param kernel a class of this package with a constructor without parameters
     */
    static <T> T instance(Class<? extends T> kernel, Class<T> type, int bits) {
        return instance(kernel, type, bits, ElementType.F32);
    }

    /**
     * Returns an instance of {@code kernel} for vectors of {@code bits} bits whose stored elements are {@code elements}, another
     * constant of the copy.
     *
     * @param kernel a class of this package with a constructor without parameters
     */
    static <T> T instance(Class<? extends T> kernel, Class<T> type, int bits, ElementType elements) {
        return SpecializedCopy.instance(kernel, type, new Width(bits, elements));
    }

    /** Returns the width in bits that the class of {@code kernel} was made for. */
    static int bits(MethodHandles.Lookup kernel) {
        return SpecializedCopy.data(kernel, Width.class).bits();
    }

    /** Returns the stored elements that the class of {@code kernel} was made for. */
    static ElementType elementType(MethodHandles.Lookup kernel) {
        return SpecializedCopy.data(kernel, Width.class).elements();
    }

    /** Returns the width in bits of the vectors that this machine and JVM prefer. */
    static int preferredBits() {
        return VectorShape.preferredShape().vectorBitSize();
    }

    /** Returns the species of {@code bits}-bit vectors of the given elements. */
    static <E> VectorSpecies<E> species(Class<E> elements, int bits) {
        return VectorSpecies.of(elements, VectorShape.forBitSize(bits));
    }
}
