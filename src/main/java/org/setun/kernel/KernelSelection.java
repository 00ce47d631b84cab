package org.setun.kernel;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.setun.tensor.ElementType;
import org.setun.tensor.TernaryLayout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses the kernels for this machine, once, at start: a ladder of checks, the first that fails leaves the scalar kernels. The
 * vector kernels are loaded only after all checks have passed.
 */
public final class KernelSelection {

    /** The request for the fastest kernels that this machine can run. */
    public static final String AUTO = "auto";

    static final String SCALAR = "scalar";

    /** The ternary products by lookup, with 512-bit vectors for everything else; native ones are named by {@link NativeInstructions}. */
    static final String LOOKUP = "lookup-512";

    private static final String VECTOR = "vector-";
    private static final String VECTOR_MODULE = "jdk.incubator.vector";
    private static final int LOOKUP_BITS = 512;
    private static final List<Integer> WIDTHS = List.of(128, 256, 512);

    /** How attention may store keys and values. */
    static final List<ElementType> KEY_VALUE_TYPES = List.of(ElementType.F32, ElementType.F16, ElementType.I8);

    private static final Logger log = LoggerFactory.getLogger(KernelSelection.class);

    /**
     * What this machine can run.
     *
     * @param widths the possible vector widths in bits, ascending; empty where there is no use in vectors
     * @param permutesBytes whether the processor is known to look up bytes in 512-bit vectors with one instruction
     * @param natives the instruction sets of native products, the fastest first
     * @param reason why they are these
     */
    record Possible(List<Integer> widths, boolean permutesBytes, List<NativeInstructions> natives, String reason) {

        Possible {
            List<Integer> possible = List.copyOf(widths);
            widths = possible;
            // The rest of the arithmetic has the width of the products.
            natives = natives.stream()
                    .filter(set -> possible.contains(set.bits()))
                    .toList();
        }

        private static Possible none(String reason) {
            return new Possible(List.of(), false, List.of(), reason);
        }

        /** Returns the values that {@link #select} accepts. */
        List<String> names() {
            List<String> names = new ArrayList<>(List.of(AUTO, SCALAR));
            widths.forEach(bits -> names.add(vectorName(bits)));
            if (widths.contains(LOOKUP_BITS)) {
                names.add(LOOKUP);
            }
            natives.forEach(set -> names.add(set.kernelName()));
            return names;
        }

        private String choose(String requested) {
            if (!names().contains(requested)) {
                throw new IllegalArgumentException("kernel \"" + requested + "\" is not possible here (" + reason
                        + "); possible are " + String.join(", ", names()));
            }
            return requested.equals(AUTO) ? fastest() : requested;
        }

        String fastest() {
            if (widths.isEmpty()) {
                return SCALAR;
            }
            if (!natives.isEmpty()) {
                return natives.getFirst().kernelName();
            }
            return permutesBytes ? LOOKUP : vectorName(widths.getLast());
        }
    }

    private KernelSelection() {}

    /**
     * Selects kernels and starts their threads.
     *
     * @param requested {@value #AUTO}, or the name of a kernel that this machine can run
     * @param threads the number of threads that share a loop; {@link #physicalCores} is a good one
     * @return kernels whose worker pool the caller closes
     * @throws IllegalArgumentException if the name is unknown, or names a kernel that this machine cannot run
     */
    public static Kernels select(String requested, int threads) {
        Possible possible = possible();
        String name = possible.choose(requested);
        return select(possible, requested, name, WorkerPool.of(threads));
    }

    /**
     * Selects kernels that run on threads of the caller's.
     *
     * @param requested as for {@link #select(String, int)}
     * @param workers becomes the kernels'
     * @throws IllegalArgumentException if the name is unknown, or names a kernel that this machine cannot run
     */
    public static Kernels select(String requested, WorkerPool workers) {
        Possible possible = possible();
        return select(possible, requested, possible.choose(requested), workers);
    }

    private static Kernels select(Possible possible, String requested, String name, WorkerPool workers) {
        int threads = workers.threads();
        Kernels kernels = new Kernels(
                ternary(name),
                sparse(name),
                floating(name),
                matrices(name),
                screen(name),
                attention(name),
                retrieval(name),
                experts(name),
                workers);
        log.info(
                "Kernel {} with {} {}: {}",
                name,
                threads,
                threads == 1 ? "thread" : "threads",
                requested.equals(AUTO) ? possible.reason() : "as asked for");
        return kernels;
    }

    /** Returns the number of processor cores that this process may use, at least 1: a good number of threads. */
    public static int physicalCores() {
        return PhysicalCores.count();
    }

    /** Returns the layout in which {@value #AUTO} keeps ternary weights on this machine; its size is that for any number of threads. */
    public static TernaryLayout layout() {
        return ternary(possible().fastest()).layout(1);
    }

    /** Climbs the ladder. */
    static Possible possible() {
        if (ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()) {
            return Possible.none("the JVM was started without --add-modules=" + VECTOR_MODULE);
        }
        // Without the C2 compiler vector calls are not instructions but objects, slower than plain loops.
        String compilers = System.getProperty("java.vm.info", "").toLowerCase(Locale.ROOT);
        if (compilers.contains("interpreted mode")) {
            return Possible.none("the JVM only interprets (-Xint)");
        }
        if (compilers.contains("emulated-client")) {
            return Possible.none("the JVM runs without its optimising compiler (-XX:TieredStopAtLevel)");
        }
        int preferred = VectorWidth.preferredBits();
        List<Integer> widths = WIDTHS.stream().filter(bits -> bits <= preferred).toList();
        boolean permutesBytes = preferred >= LOOKUP_BITS && ProcessorFeatures.has("avx512vbmi");
        NativeLibrary library = NativeLibrary.get();
        return new Possible(
                widths,
                permutesBytes,
                library.instructions(),
                "this machine's vectors have " + preferred + " bits"
                        + (permutesBytes ? " and permute bytes (AVX-512 VBMI)" : "") + "; " + library.description());
    }

    static TernaryKernel ternary(String name) {
        return switch (name) {
            case SCALAR -> new ScalarTernaryKernel();
            case LOOKUP -> new LookupTernaryKernel();
            default ->
                NativeInstructions.named(name)
                        .map(NativeLibrary.get()::kernel)
                        .orElseGet(
                                () -> VectorWidth.instance(VectorTernaryKernel.class, TernaryKernel.class, bits(name)));
        };
    }

    static SparseTernaryKernel sparse(String name) {
        return name.equals(SCALAR)
                ? new ScalarSparseTernaryKernel()
                : VectorWidth.instance(VectorSparseTernaryKernel.class, SparseTernaryKernel.class, bits(name));
    }

    static FloatKernel floating(String name) {
        return name.equals(SCALAR)
                ? new ScalarFloatKernel()
                : VectorWidth.instance(VectorFloatKernel.class, FloatKernel.class, bits(name));
    }

    static MatrixKernel matrices(String name) {
        return name.equals(SCALAR)
                ? new ScalarMatrixKernel()
                : VectorWidth.instance(VectorMatrixKernel.class, MatrixKernel.class, bits(name));
    }

    static ScreenKernel screen(String name) {
        return name.equals(SCALAR)
                ? new ScalarScreenKernel()
                : VectorWidth.instance(VectorScreenKernel.class, ScreenKernel.class, bits(name));
    }

    private static Map<ElementType, AttentionKernel> attention(String name) {
        Map<ElementType, AttentionKernel> kernels = new EnumMap<>(ElementType.class);
        for (ElementType type : KEY_VALUE_TYPES) {
            kernels.put(type, attention(name, type));
        }
        return kernels;
    }

    static AttentionKernel attention(String name, ElementType type) {
        return name.equals(SCALAR)
                ? new ScalarAttentionKernel(type)
                : VectorWidth.instance(VectorAttentionKernel.class, AttentionKernel.class, bits(name), type);
    }

    static RetrievalKernel retrieval(String name) {
        return name.equals(SCALAR)
                ? new ScalarRetrievalKernel()
                : VectorWidth.instance(VectorRetrievalKernel.class, RetrievalKernel.class, bits(name));
    }

    static ExpertKernel experts(String name) {
        return name.equals(SCALAR)
                ? new ScalarExpertKernel()
                : VectorWidth.instance(VectorExpertKernel.class, ExpertKernel.class, bits(name));
    }

    static String vectorName(int bits) {
        return VECTOR + bits;
    }

    private static int bits(String name) {
        if (name.equals(LOOKUP)) {
            return LOOKUP_BITS;
        }
        return NativeInstructions.named(name)
                .map(NativeInstructions::bits)
                .orElseGet(() -> Integer.parseInt(name.substring(VECTOR.length())));
    }
}
