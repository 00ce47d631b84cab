package org.setun.checkpoint;

import java.util.Map;
import java.util.Optional;
import org.setun.tensor.ElementType;

/** The numbers of tensor types in GGUF files. */
final class GgufTensorTypes {

    /** The number that two block sizes share. */
    static final int Q2_0 = 42;

    /** What to do about a matrix of another type than is needed. */
    static final String OTHER_TYPE = "Setun runs ternary weights, get the model as I2_S, TQ1_0, TQ2_0 or Q2_0";

    private static final Map<Integer, ElementType> SUPPORTED = Map.ofEntries(
            Map.entry(0, ElementType.F32),
            Map.entry(1, ElementType.F16),
            Map.entry(2, ElementType.Q4_0),
            Map.entry(8, ElementType.Q8_0),
            Map.entry(14, ElementType.Q6_K),
            Map.entry(24, ElementType.I8),
            Map.entry(25, ElementType.I16),
            Map.entry(26, ElementType.I32),
            Map.entry(27, ElementType.I64),
            Map.entry(28, ElementType.F64),
            Map.entry(30, ElementType.BF16),
            Map.entry(34, ElementType.TQ1_0),
            Map.entry(35, ElementType.TQ2_0),
            Map.entry(36, ElementType.I2_S),
            Map.entry(Q2_0, ElementType.Q2_0),
            // What one fork called 42 until it took on the mainline's meaning of that number.
            Map.entry(142, ElementType.Q2_0_G128));

    private static final Map<Integer, String> UNSUPPORTED = Map.ofEntries(
            Map.entry(3, "Q4_1"),
            Map.entry(6, "Q5_0"),
            Map.entry(7, "Q5_1"),
            Map.entry(9, "Q8_1"),
            Map.entry(10, "Q2_K"),
            Map.entry(11, "Q3_K"),
            Map.entry(12, "Q4_K"),
            Map.entry(13, "Q5_K"),
            Map.entry(15, "Q8_K"),
            Map.entry(16, "IQ2_XXS"),
            Map.entry(17, "IQ2_XS"),
            Map.entry(18, "IQ3_XXS"),
            Map.entry(19, "IQ1_S"),
            Map.entry(20, "IQ4_NL"),
            Map.entry(21, "IQ3_S"),
            Map.entry(22, "IQ2_S"),
            Map.entry(23, "IQ4_XS"),
            Map.entry(29, "IQ1_M"),
            Map.entry(39, "MXFP4"));

    private GgufTensorTypes() {}

    /** Returns the type whose number is {@code id}; of the two with number 42 the mainline one. */
    static Optional<ElementType> find(int id) {
        return Optional.ofNullable(SUPPORTED.get(id));
    }

    /** Returns what is known of a number that {@link #find} does not find. */
    static String describe(int id) {
        String name = UNSUPPORTED.get(id);
        return "type " + Integer.toUnsignedString(id) + (name == null ? "" : ", which is " + name);
    }
}
