package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.setun.tensor.ElementType;

/** The specification of {@link AttentionKernel}: plain loops. */
final class ScalarAttentionKernel implements AttentionKernel {

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final ElementType type;

    ScalarAttentionKernel(ElementType type) {
        this.type = type;
    }

    @Override
    public String name() {
        return KernelSelection.SCALAR;
    }

    @Override
    public ElementType elementType() {
        return type;
    }

    @Override
    public void scores(MemorySegment page, long at, int width, float[] queries, float[] scores, Tile tile, int count) {
        for (int q = 0; q < count; q++) {
            for (int t = 0; t < PAGE_TOKENS; t++) {
                float sum = 0;
                for (int d = 0; d < width; d++) {
                    sum = Math.fma(element(page, at, d * PAGE_TOKENS + t), queries[tile.heads()[q] + d], sum);
                }
                scores[tile.numbers()[q] + t] = sum;
            }
        }
    }

    @Override
    public void addValues(
            MemorySegment page,
            long at,
            int width,
            float[] weights,
            float[] sums,
            Tile tile,
            int first,
            int count,
            int fromToken,
            int toToken) {
        addValues(page, at, width, 0, weights, sums, tile, first, count, fromToken, toToken);
    }

    /** Adds the values of the dimensions from {@code fromDimension}. */
    void addValues(
            MemorySegment page,
            long at,
            int width,
            int fromDimension,
            float[] weights,
            float[] sums,
            Tile tile,
            int first,
            int count,
            int fromToken,
            int toToken) {
        for (int q = first; q < first + count; q++) {
            for (int d = fromDimension; d < width; d++) {
                float sum = sums[tile.heads()[q] + d];
                for (int t = fromToken; t < toToken; t++) {
                    sum = Math.fma(weights[tile.numbers()[q] + t], element(page, at, t * width + d), sum);
                }
                sums[tile.heads()[q] + d] = sum;
            }
        }
    }

    private float element(MemorySegment page, long at, int index) {
        long from = at + (long) index * type.bytes();
        return switch (type) {
            case F32 -> page.get(FLOAT, from);
            case F16 -> Float.float16ToFloat(page.get(SHORT, from));
            case I8 -> page.get(ValueLayout.JAVA_BYTE, from);
            default -> throw new IllegalArgumentException("expected F32, F16 or I8, found " + type);
        };
    }
}
