package org.setun.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * The ternary products in C, built from {@code src/main/c} where there is a C compiler: which of them this processor can run, or
 * why there are none. The library stays loaded as long as the JVM runs.
 *
 * @param products the functions that can be called here
 * @param description where they come from, or why there are none
 */
record NativeLibrary(Map<NativeInstructions, MethodHandle> products, String description) {

    /** The system property that names a library to use instead of the one that was built with Setun; {@value #NONE} for none. */
    static final String PROPERTY = "setun.native-library";

    static final String NONE = "none";

    /** The version of what both sides agree on: {@code SETUN_ABI} in {@code setun_kernels.h}. */
    private static final int ABI = 1;

    private static final FunctionDescriptor NUMBER = FunctionDescriptor.of(ValueLayout.JAVA_INT);

    /** {@code SETUN_PRODUCT} in {@code setun_kernels.h}. */
    private static final FunctionDescriptor PRODUCT = FunctionDescriptor.ofVoid(
            ValueLayout.ADDRESS,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.ADDRESS);

    /** What each value of {@link #PROPERTY} gave. */
    private static final Map<String, NativeLibrary> LOADED = new ConcurrentHashMap<>();

    NativeLibrary {
        products = Map.copyOf(products);
    }

    /** Returns a library without products. */
    static NativeLibrary none(String reason) {
        return new NativeLibrary(Map.of(), "no native kernels, as " + reason);
    }

    /**
     * Returns the library that {@link #PROPERTY} names, or else the one that was built with Setun.
     *
     * @throws IllegalArgumentException if a library is named and is none, or one of another version of Setun
     */
    static NativeLibrary get() {
        return LOADED.computeIfAbsent(System.getProperty(PROPERTY, ""), NativeLibrary::find);
    }

    private static NativeLibrary find(String named) {
        if (named.equals(NONE)) {
            return none(PROPERTY + " is " + NONE);
        }
        if (!NativeLibrary.class.getModule().isNativeAccessEnabled()) {
            return none("the JVM was started without --enable-native-access=ALL-UNNAMED");
        }
        if (!named.isEmpty()) {
            return load(Path.of(named), ABI);
        }
        return built().map(NativeLibrary::at).orElseGet(() -> none("this Setun was built without any for this system"));
    }

    /** Returns where the library lies that was built with Setun, if one was. */
    static Optional<URL> built() {
        return Optional.ofNullable(NativeLibrary.class.getResource(resource()));
    }

    /** Loads the library at {@code url}; one without products if that is not possible. */
    static NativeLibrary at(URL url) {
        try {
            return url.getProtocol().equals("file") ? load(Path.of(URI.create(url.toString())), ABI) : extract(url);
        } catch (IOException | IllegalArgumentException e) {
            return none("they could not be loaded (" + e.getMessage() + ")");
        }
    }

    /** Returns where the build puts the library for this system: {@code ${native.directory}} in the {@code pom.xml}. */
    private static String resource() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        String system = (os.startsWith("mac") ? "macos" : os) + "-" + (arch.equals("x86_64") ? "amd64" : arch);
        return "/native/" + system + "/" + System.mapLibraryName("setun");
    }

    /** Loads a library that lies in a jar: a mapped file stays when its name is gone. */
    private static NativeLibrary extract(URL url) throws IOException {
        Path file = Files.createTempFile("setun-native", null);
        try (InputStream in = url.openStream()) {
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
            return load(file, ABI);
        } finally {
            Files.delete(file);
        }
    }

    /**
     * Loads a library.
     *
     * @param version the ABI that it must have
     * @throws IllegalArgumentException if the file is none, or one of another version of Setun
     */
    static NativeLibrary load(Path file, int version) {
        SymbolLookup symbols;
        try {
            symbols = SymbolLookup.libraryLookup(file.toAbsolutePath(), Arena.global());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    file + ": expected a library with Setun's kernels for this system, found none (" + e.getMessage()
                            + "); correct or leave out " + PROPERTY,
                    e);
        }
        int abi = symbols.find("setun_abi").isPresent() ? number(symbols, "setun_abi") : 0;
        if (abi != version) {
            throw new IllegalArgumentException(file + ": expected Setun's kernels of version " + version + ", found "
                    + (abi == 0 ? "other functions" : "version " + abi) + "; build the library with this Setun");
        }
        int possible = number(symbols, "setun_kernels");
        Map<NativeInstructions, MethodHandle> products = new EnumMap<>(NativeInstructions.class);
        for (NativeInstructions set : NativeInstructions.values()) {
            if ((possible & set.bit()) != 0) {
                products.put(set, product(symbols, set));
            }
        }
        return products.isEmpty()
                ? none("the processor has none of their instruction sets")
                : new NativeLibrary(products, "native kernels are " + names(products));
    }

    private static String names(Map<NativeInstructions, MethodHandle> products) {
        return Arrays.stream(NativeInstructions.values())
                .filter(products::containsKey)
                .map(NativeInstructions::kernelName)
                .collect(Collectors.joining(", "));
    }

    /** Links a product. Heap arrays are passed as they are: a call is short, and the garbage collector waits for its end. */
    private static MethodHandle product(SymbolLookup symbols, NativeInstructions set) {
        return Linker.nativeLinker()
                .downcallHandle(symbols.findOrThrow(set.symbol()), PRODUCT, Linker.Option.critical(true));
    }

    private static int number(SymbolLookup symbols, String function) {
        MethodHandle handle = Linker.nativeLinker().downcallHandle(symbols.findOrThrow(function), NUMBER);
        try {
            return (int) handle.invokeExact();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(function + " declares no exception", e);
        }
    }

    /** Returns the instruction sets that can be called here, the fastest first. */
    List<NativeInstructions> instructions() {
        return Arrays.stream(NativeInstructions.values())
                .filter(products::containsKey)
                .toList();
    }

    /**
     * Returns the products with {@code set}.
     *
     * @throws IllegalArgumentException if they cannot be called here
     */
    TernaryKernel kernel(NativeInstructions set) {
        MethodHandle product = products.get(set);
        if (product == null) {
            throw new IllegalArgumentException(set.kernelName() + " is not possible here: " + description);
        }
        return SpecializedCopy.instance(
                NativeTernaryKernel.class, TernaryKernel.class, new NativeProduct(set, product));
    }
}
