package org.setun.sampling;

/**
 * A temperature that follows the entropy {@code H} of what the cuts kept, {@code n} tokens: {@code low + (high - low) * (H / ln n)^exponent},
 * where {@code low} is the request's temperature less {@code range}, not below 0, and {@code high} the temperature and {@code range}.
 * A model that is sure stays so, one that is not is let loose. llama-server's formula.
 *
 * @param range 0 to {@value #MAX_RANGE}; 0 for a temperature that stays as it is
 * @param exponent 0 to {@value #MAX_EXPONENT}
 */
public record DynamicTemperature(double range, double exponent) {

    /** The largest range. */
    public static final double MAX_RANGE = 10;

    /** The largest exponent. */
    public static final double MAX_EXPONENT = 10;

    /** A temperature that stays as it is. */
    public static final DynamicTemperature OFF = new DynamicTemperature(0, 1);

    public DynamicTemperature {
        Range.require("dynatemp_range", range, 0, MAX_RANGE);
        Range.require("dynatemp_exponent", exponent, 0, MAX_EXPONENT);
    }

    boolean isOn() {
        return range > 0;
    }

    /**
     * Returns the temperature of a draw.
     *
     * @param temperature the request's
     * @param entropy what the distribution's entropy is of the largest that it could be, 0 to 1
     */
    double at(double temperature, double entropy) {
        double low = Math.max(0, temperature - range);
        double high = temperature + range;
        return low + (high - low) * Math.pow(entropy, exponent);
    }
}
