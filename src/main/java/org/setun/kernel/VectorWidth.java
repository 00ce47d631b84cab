package org.setun.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.constant.ConstantDescs;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.setun.tensor.ElementType;

/**
 * Makes one vector kernel source serve every vector width at full speed.
 *
 * <p>The compiler turns vector calls into instructions only where the species is a constant, which here means a
 * {@code static final} field. The vector kernels have such fields and take their width from their class data; {@link #instance}
 * defines a hidden class (JEP 371) from the kernel's own bytes for each width that is asked for. Each such class has constants
 * and profiles of its own, exactly as if it had been written out for that width. The classes themselves, loaded without class
 * data, must not be initialised. A kernel has no nested classes and shares no vector code with others: that would belong to the
 * original and not to the copy, have the profiles of all, and then be called instead of compiled into their loops.
 *
 * <p>Frames of hidden classes appear in stack traces only with {@code -XX:+UnlockDiagnosticVMOptions -XX:+ShowHiddenFrames}.
 */
final class VectorWidth {

    /** What a copy takes its constants from. */
    private record ClassData(int bits, ElementType elements) {}

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
        try {
            MethodHandles.Lookup copy = MethodHandles.lookup()
                    .defineHiddenClassWithClassData(bytesOf(kernel), new ClassData(bits, elements), true);
            return type.cast(copy.findConstructor(copy.lookupClass(), MethodType.methodType(void.class))
                    .invoke());
        } catch (Throwable e) {
            throw new IllegalStateException("could not make " + kernel.getName() + " for " + bits + "-bit vectors", e);
        }
    }

    private static byte[] bytesOf(Class<?> kernel) {
        String file = kernel.getSimpleName() + ".class";
        try (InputStream in = kernel.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException(
                        file + " is missing beside the other classes of " + kernel.getPackageName());
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("could not read " + file, e);
        }
    }

    /** Returns the width in bits that the class of {@code kernel} was made for. */
    static int bits(MethodHandles.Lookup kernel) {
        return classData(kernel).bits();
    }

    /** Returns the stored elements that the class of {@code kernel} was made for. */
    static ElementType elementType(MethodHandles.Lookup kernel) {
        return classData(kernel).elements();
    }

    private static ClassData classData(MethodHandles.Lookup kernel) {
        try {
            return MethodHandles.classData(kernel, ConstantDescs.DEFAULT_NAME, ClassData.class);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
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
