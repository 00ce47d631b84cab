package org.setun.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.setun.kernel.QuantizedActivations;

final class SparsityTest {

    @ParameterizedTest
    @CsvSource({
        // max(1, floor(ratio * width + 0.5))
        "0.4, 64, 26",
        "0.4, 160, 64",
        "0.5, 5, 3",
        "0.5, 4, 2",
        "0.1, 4, 1",
        "0.0001, 64, 1",
        "0.99, 64, 63",
        "1, 64, 64"
    })
    void keepsTheRoundedPartOfTheWidthAndOneAtLeast(double ratio, int width, int kept) {
        assertThat(nonZeros(new Sparsity.TopK(ratio), width)).isEqualTo(kept);
    }

    @Test
    void keepsSoManyOfEveryBlock() {
        assertThat(nonZeros(new Sparsity.BlockTopK(3, 8), 64)).isEqualTo(24);
        assertThat(nonZeros(new Sparsity.BlockTopK(8, 8), 64)).isEqualTo(64);
        assertThat(nonZeros(new Sparsity.Dense(), 64)).isEqualTo(64);
    }

    @Test
    void aRequestIsServedByTheSparserOfItsAndTheLayersSparsity() {
        Sparsity dense = new Sparsity.Dense();
        assertThat(dense.butDropping(0)).isEqualTo(dense);
        assertThat(dense.butDropping(0.75)).isEqualTo(new Sparsity.TopK(0.25));

        Sparsity topK = new Sparsity.TopK(0.5);
        assertThat(topK.butDropping(0)).isEqualTo(topK);
        assertThat(topK.butDropping(0.25)).isEqualTo(topK);
        assertThat(topK.butDropping(0.5)).isEqualTo(topK);
        assertThat(topK.butDropping(0.75)).isEqualTo(new Sparsity.TopK(0.25));

        Sparsity block = new Sparsity.BlockTopK(16, 32);
        assertThat(block.butDropping(0)).isEqualTo(block);
        assertThat(block.butDropping(0.25)).isEqualTo(block);
        assertThat(block.butDropping(0.75)).isEqualTo(new Sparsity.BlockTopK(8, 32));
        assertThat(block.butDropping(0.953125)).isEqualTo(new Sparsity.BlockTopK(2, 32)); // 1.5 of 32, halves up
        assertThat(block.butDropping(0.999)).isEqualTo(new Sparsity.BlockTopK(1, 32));
    }

    @Test
    void refusesToKeepNothing() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Sparsity.TopK(0));
        assertThatIllegalArgumentException().isThrownBy(() -> new Sparsity.TopK(1.01));
        assertThatIllegalArgumentException().isThrownBy(() -> new Sparsity.TopK(Double.NaN));
        assertThatIllegalArgumentException().isThrownBy(() -> new Sparsity.BlockTopK(0, 4));
        assertThatIllegalArgumentException().isThrownBy(() -> new Sparsity.BlockTopK(5, 4));
    }

    private static int nonZeros(Sparsity sparsity, int width) {
        QuantizedActivations codes = new QuantizedActivations(1, width);
        codes.reshape(width);
        Arrays.fill(codes.codes(), 0, width, (byte) 1);
        sparsity.select(codes, 0);
        codes.countNonZeros(0);
        return codes.nonZeros(0);
    }
}
