package org.setun.kernel;

import java.lang.invoke.MethodHandle;

/**
 * A ternary product in C.
 *
 * @param instructions what it uses
 * @param function {@code SETUN_PRODUCT} in {@code setun_kernels.h}
 */
record NativeProduct(NativeInstructions instructions, MethodHandle function) {}
