package org.setun.architecture;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.setun.architecture.ModelSpec.HeadSpec;
import org.setun.architecture.ModelSpec.SpecialTokens;
import org.setun.kernel.Activation;

/** The sizes of published models, for measuring how fast such a model is without having its weights. */
public enum NamedShape {
    /** BitNet b1.58 2B4T (arXiv 2504.12285): attention, squared ReLU, a tied head. */
    BITNET_2B4T("bitnet-2b4t"),
    /** MatMul-free LM 370M (arXiv 2406.02528). */
    MMFREE_370M("mmfree-370m"),
    /** MatMul-free LM 1.3B. */
    MMFREE_1_3B("mmfree-1.3b"),
    /** MatMul-free LM 2.7B. */
    MMFREE_2_7B("mmfree-2.7b");

    private final String shapeName;

    NamedShape(String shapeName) {
        this.shapeName = shapeName;
    }

    /** Returns the names of all shapes. */
    public static List<String> names() {
        return Arrays.stream(values()).map(NamedShape::shapeName).toList();
    }

    /** Returns the shape of that name. */
    public static Optional<NamedShape> named(String name) {
        return Arrays.stream(values())
                .filter(shape -> shape.shapeName.equals(name))
                .findFirst();
    }

    /** Returns the name that people know it by. */
    public String shapeName() {
        return shapeName;
    }

    /** Returns what a model of this shape is made of. */
    ModelSpec spec() {
        return switch (this) {
            case BITNET_2B4T -> bitnet();
            case MMFREE_370M -> matMulFree(1024, 2816, 24);
            case MMFREE_1_3B -> matMulFree(2048, 5632, 24);
            case MMFREE_2_7B -> matMulFree(2560, 6912, 32);
        };
    }

    private static ModelSpec bitnet() {
        LayerSpec layer = layer(
                new MixerSpec.Attention(20, 5, 128, RopeSpec.of(500_000), true),
                new ChannelSpec.Glu(6912, Activation.RELU2, true));
        return new ModelSpec(
                128_256,
                2560,
                4096,
                1e-5,
                new SpecialTokens(OptionalInt.of(128_000), List.of(128_001), OptionalInt.empty()),
                Optional.empty(),
                new HeadSpec.Tied(),
                Collections.nCopies(30, layer));
    }

    private static ModelSpec matMulFree(int hiddenSize, int intermediateSize, int layers) {
        LayerSpec layer = layer(
                new MixerSpec.Mlgru(1, 1, true, Optional.empty()),
                new ChannelSpec.Glu(intermediateSize, Activation.SILU, false));
        return new ModelSpec(
                32_000,
                hiddenSize,
                2048,
                1e-6,
                new SpecialTokens(OptionalInt.of(1), List.of(2), OptionalInt.empty()),
                Optional.of(1e-6),
                new HeadSpec.Own(LinearStorage.U2_ROWS),
                Collections.nCopies(layers, layer));
    }

    private static LayerSpec layer(MixerSpec mixer, ChannelSpec channel) {
        LayerSpec.Storage packed = new LayerSpec.Storage(LinearStorage.U2_ROWS, LinearStorage.U2_COLS, Set.of());
        return new LayerSpec(mixer, channel, new SparsitySpec.Dense(), packed);
    }
}
