package org.setun.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.constant.ConstantDescs;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Makes one kernel source serve several purposes at full speed.
 *
 * <p>The compiler makes good code only of what is constant: vector calls of species, and calls of C of method handles, that are
 * {@code static final} fields. Such kernels take what these depend on from their class data; {@link #instance} defines a hidden
 * class (JEP 371) from the kernel's own bytes for each data that is asked for. Each such class has constants and profiles of its
 * own, exactly as if it had been written out. The classes themselves, loaded without class data, must not be initialised. A kernel
 * has no nested classes and shares no vector code with others: that would belong to the original and not to the copy, have the
 * profiles of all, and then be called instead of compiled into their loops.
 *
 * <p>Frames of hidden classes appear in stack traces only with {@code -XX:+UnlockDiagnosticVMOptions -XX:+ShowHiddenFrames}.
 */
final class SpecializedCopy {

    private SpecializedCopy() {}

    /**
     * Returns an instance of a copy of {@code kernel}.
     *
     * @param kernel a class of this package with a constructor without parameters
     * @param data what {@link #data} returns in the copy
     */
    static <T> T instance(Class<? extends T> kernel, Class<T> type, Object data) {
        try {
            MethodHandles.Lookup copy =
                    MethodHandles.lookup().defineHiddenClassWithClassData(bytesOf(kernel), data, true);
            return type.cast(copy.findConstructor(copy.lookupClass(), MethodType.methodType(void.class))
                    .invoke());
        } catch (Throwable e) {
            throw new IllegalStateException("could not make " + kernel.getName() + " for " + data, e);
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

    /** Returns what the class of {@code kernel} was made for. */
    static <D> D data(MethodHandles.Lookup kernel, Class<D> type) {
        try {
            return MethodHandles.classData(kernel, ConstantDescs.DEFAULT_NAME, type);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
