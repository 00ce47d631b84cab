package org.setun.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** The elementary functions are accurate to about a unit in the last place of a float. */
final class FloatFunctionsTest {

    private static double relativeError(double found, double exact) {
        return Math.abs(found - exact) / Math.abs(exact);
    }

    @Test
    void expIsAccurateWhereTheResultIsNormal() {
        double worst = 0;
        for (float x = -87.3f; x < 88.7f; x += 0.000913f) {
            worst = Math.max(worst, relativeError(FloatFunctions.exp(x), StrictMath.exp(x)));
        }
        assertThat(worst).isLessThan(1.2e-7);
    }

    @Test
    void expFadesIntoZeroAndInfinity() {
        for (float x = -103f; x < -87.3f; x += 0.00913f) {
            assertThat((double) FloatFunctions.exp(x))
                    .isCloseTo(StrictMath.exp(x), Offset.offset((double) Float.MIN_VALUE));
        }
        assertThat(FloatFunctions.exp(-104f)).isZero();
        assertThat(FloatFunctions.exp(Float.NEGATIVE_INFINITY)).isZero();
        assertThat(FloatFunctions.exp(88.8f)).isInfinite();
        assertThat(FloatFunctions.exp(Float.POSITIVE_INFINITY)).isInfinite();
        assertThat(FloatFunctions.exp(0f)).isEqualTo(1f);
        assertThat(FloatFunctions.exp(Float.NaN)).isNaN();
    }

    @Test
    void sigmoidAndSiluAreAccurate() {
        double worst = 0;
        for (float x = -80; x < 80; x += 0.000913f) {
            double exact = 1 / (1 + StrictMath.exp(-x));
            worst = Math.max(worst, relativeError(FloatFunctions.sigmoid(x), exact));
            worst = Math.max(worst, relativeError(FloatFunctions.silu(x), x * exact));
        }
        assertThat(worst).isLessThan(2.5e-7);
        assertThat(FloatFunctions.sigmoid(-200)).isZero();
        assertThat(FloatFunctions.sigmoid(200)).isEqualTo(1f);
        assertThat(FloatFunctions.silu(-1e30f)).isZero();
        assertThat(FloatFunctions.silu(1e30f)).isEqualTo(1e30f);
    }

    /** Maclaurin series of erf, exact to double precision for small arguments. */
    private static double erfBySeries(double x) {
        double sum = 0;
        double power = x;
        for (int n = 0; n < 100; n++) {
            sum += power / (2 * n + 1);
            power *= -x * x / (n + 1);
        }
        return sum * 2 / Math.sqrt(Math.PI);
    }

    @Test
    void erfcAgreesWithTheSeriesOfErf() {
        for (double x = -3; x < 3; x += 0.00137) {
            double exact = 1 - erfBySeries(x);
            assertThat(relativeError(FloatFunctions.erfc(x), exact)).isLessThan(2e-8);
        }
    }

    @Test
    void erfcIsAccurateFarFromZero() {
        // From tables: erfc(4), erfc(6), erfc(10).
        assertThat(relativeError(FloatFunctions.erfc(4), 1.541725790028002e-8)).isLessThan(1e-8);
        assertThat(relativeError(FloatFunctions.erfc(6), 2.1519736712498913e-17))
                .isLessThan(1e-8);
        assertThat(relativeError(FloatFunctions.erfc(10), 2.088487583762545e-45))
                .isLessThan(1e-8);
        assertThat(FloatFunctions.erfc(40)).isZero();
        assertThat(FloatFunctions.erfc(-40)).isEqualTo(2);
    }

    @Test
    void geluIsTheExactForm() {
        for (float x = -4; x < 4; x += 0.00137f) {
            double exact = 0.5 * x * (1 + erfBySeries(x / Math.sqrt(2)));
            assertThat((double) FloatFunctions.gelu(x)).isCloseTo(exact, Offset.offset(Math.abs(exact) * 1e-6 + 1e-9));
        }
        assertThat(FloatFunctions.gelu(100)).isEqualTo(100f);
        assertThat(FloatFunctions.gelu(-100)).isZero();
        assertThat(FloatFunctions.gelu(0)).isZero();
    }
}
