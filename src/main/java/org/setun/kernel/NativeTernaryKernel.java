package org.setun.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.Objects;
import org.setun.tensor.Base3Matrix;
import org.setun.tensor.CellMatrix;
import org.setun.tensor.TernaryLayout;
import org.setun.tensor.TernaryMatrix;

/**
 * Ternary products in C, called through the Foreign Function &amp; Memory API. What they do and how stands in {@code src/main/c}.
 *
 * <p>C trusts its arguments, so they are checked here: a wrong one throws, as it does with the other kernels. While a call runs the
 * JVM cannot stop its thread, for example to collect garbage; therefore large products are made by several calls.
 *
 * <p>Instances come from {@link NativeLibrary#kernel}.
 */
final class NativeTernaryKernel implements TernaryKernel {

    private static final NativeProduct PRODUCT = SpecializedCopy.data(MethodHandles.lookup(), NativeProduct.class);
    private static final NativeInstructions INSTRUCTIONS = PRODUCT.instructions();
    private static final MethodHandle FUNCTION = PRODUCT.function();

    /** Weights times tokens of a call: about a millisecond's worth. */
    private static final long CALL_PRODUCTS = 1L << 27;

    /** Tokens of a call: as many as C takes together. */
    private static final int CALL_TOKENS = 128;

    /** Rows of a call are multiples of this: of a block of either layout. */
    private static final int CALL_ROWS = Base3Matrix.BLOCK_VECTORS * Base3Matrix.VECTOR_ROWS;

    /** For weights in cells, whose products do not need them. */
    private static final int[] NO_NEGATIVES = {};

    @Override
    public String name() {
        return INSTRUCTIONS.kernelName();
    }

    @Override
    public TernaryLayout layout(int threads) {
        return INSTRUCTIONS.layout(threads);
    }

    @Override
    public ColumnPolicy columnPolicy() {
        return INSTRUCTIONS.columnPolicy();
    }

    @Override
    public void multiply(
            TernaryMatrix weights, QuantizedActivations activations, int tokens, int fromRow, int toRow, int[] sums) {
        activations.requireColumns(weights.columns());
        requireRange(weights, activations, tokens, fromRow, toRow, sums);
        if (tokens == 0) {
            return;
        }
        if (INSTRUCTIONS == NativeInstructions.VBMI512 && weights instanceof Base3Matrix packed) {
            for (int panel = fromRow; panel < toRow; panel += packed.rowBlock()) {
                int end = Math.min(panel + packed.rowBlock(), toRow);
                multiply(packed, packed.codes(), packed.negativeCodes(), activations, tokens, panel, end, sums);
            }
        } else if (INSTRUCTIONS != NativeInstructions.VBMI512 && weights instanceof CellMatrix packed) {
            multiply(packed, packed.words(), NO_NEGATIVES, activations, tokens, fromRow, toRow, sums);
        } else {
            throw new IllegalArgumentException(name() + ": expected weights as in " + layout(1) + ", found "
                    + weights.getClass().getSimpleName());
        }
    }

    private static void requireRange(
            TernaryMatrix weights, QuantizedActivations activations, int tokens, int fromRow, int toRow, int[] sums) {
        Objects.checkFromToIndex(0, tokens, activations.capacity());
        Objects.checkFromToIndex(fromRow, toRow, weights.rows());
        int block = weights.rowBlock();
        if (fromRow % block != 0 || (toRow % block != 0 && toRow != weights.rows())) {
            throw new IllegalArgumentException("expected rows of " + weights.rows() + " at multiples of " + block
                    + ", found " + fromRow + " to " + toRow);
        }
        Objects.checkFromToIndex(0L, (long) tokens * weights.rows(), sums.length);
    }

    /** Multiplies rows of one panel, call by call. */
    private static void multiply(
            TernaryMatrix weights,
            MemorySegment packed,
            int[] negatives,
            QuantizedActivations activations,
            int tokens,
            int fromRow,
            int toRow,
            int[] sums) {
        int callTokens = Math.min(tokens, CALL_TOKENS);
        long fitting = CALL_PRODUCTS / ((long) callTokens * weights.columns());
        int callRows = (int) Math.max(1, Math.min(fitting, weights.rows()) / CALL_ROWS) * CALL_ROWS;
        for (int row = fromRow; row < toRow; row += callRows) {
            int end = Math.min(row + callRows, toRow);
            for (int token = 0; token < tokens; token += callTokens) {
                call(
                        weights,
                        packed,
                        negatives,
                        activations,
                        token,
                        Math.min(callTokens, tokens - token),
                        row,
                        end,
                        sums);
            }
        }
    }

    private static void call(
            TernaryMatrix weights,
            MemorySegment packed,
            int[] negatives,
            QuantizedActivations activations,
            int token,
            int tokens,
            int fromRow,
            int toRow,
            int[] sums) {
        int rows = weights.rows();
        int offset = activations.rowOffset(token);
        try {
            FUNCTION.invokeExact(
                    packed,
                    MemorySegment.ofArray(negatives),
                    rows,
                    weights.columns(),
                    weights.rowBlock(),
                    MemorySegment.ofArray(activations.codes()).asSlice(offset),
                    activations.rowOffset(token + 1) - offset,
                    tokens,
                    fromRow,
                    toRow,
                    MemorySegment.ofArray(sums).asSlice((long) token * rows * Integer.BYTES));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(INSTRUCTIONS.symbol() + " declares no exception", e);
        }
    }
}
