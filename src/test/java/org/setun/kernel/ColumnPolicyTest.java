package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.setun.tensor.TernaryColumns;

/** The choice of a layout follows the number of non-zero codes, the length of a thread's runs and the number of tokens. */
final class ColumnPolicyTest {

    private static final int COLUMNS = 1000;
    private static final ColumnPolicy POLICY = ColumnPolicy.AGAINST_MULTIPLICATION;

    @AutoClose
    private final Arena arena = Arena.ofConfined();

    private final TernaryColumns high = new TernaryColumns.Builder(13824, COLUMNS, arena).build();
    private final TernaryColumns low = new TernaryColumns.Builder(1024, COLUMNS, arena).build();

    @Test
    void denseActivationsAreMultipliedByRows() {
        assertThat(POLICY.pays(high, 1, 1, COLUMNS)).isFalse();
        assertThat(POLICY.pays(low, 1, 1, COLUMNS)).isFalse();
    }

    @Test
    void zeroActivationsAreMultipliedByColumns() {
        assertThat(POLICY.pays(high, 1, 1, 0)).isTrue();
        assertThat(POLICY.pays(low, 64, 7, 0)).isTrue();
    }

    @Test
    void longColumnsPayEarlierThanShortOnes() {
        assertThat(POLICY.pays(high, 1, 1, 600)).isTrue();
        assertThat(POLICY.pays(low, 1, 1, 600)).isFalse();
    }

    @Test
    void threadsThatShareAColumnMakeItShort() {
        assertThat(POLICY.pays(high, 2, 1, 600)).isTrue();
        assertThat(POLICY.pays(high, 16, 1, 600)).isFalse();
    }

    @Test
    void tokensThatShareTheRowsMakeColumnsPayLater() {
        assertThat(POLICY.pays(high, 1, 3, 3 * 600)).isTrue();
        assertThat(POLICY.pays(high, 1, 4, 4 * 600)).isFalse();
        assertThat(POLICY.pays(high, 1, 4, 4 * 400)).isTrue();
    }

    @Test
    void columnsPayLaterAgainstAProductThatReadsItsWeightsFaster() {
        assertThat(ColumnPolicy.AGAINST_LOOKUP.pays(high, 1, 1, 400)).isFalse();
        assertThat(ColumnPolicy.AGAINST_LOOKUP.pays(high, 1, 1, 250)).isTrue();
        assertThat(ColumnPolicy.AGAINST_LOOKUP.pays(low, 1, 1, 250)).isFalse();
        assertThat(ColumnPolicy.AGAINST_LOOKUP.pays(low, 1, 1, 100)).isTrue();
    }
}
