package org.setun.kernel;

import java.util.Arrays;

/**
 * Keeps the largest of a run of int8 codes and zeroes the others (arXiv 2407.10969): as magnitudes are small integers, a
 * histogram of them gives the threshold and no sorting is needed. Of equal magnitudes the lower indices are kept.
 */
final class CodeSelection {

    /** Different magnitudes: 0 to 127 from quantising, and 128, which any byte may have. */
    static final int MAGNITUDES = 129;

    private CodeSelection() {}

    /**
     * Keeps the {@code keep} largest magnitudes of {@code length} codes from {@code offset}.
     *
     * @param keep at least 1; with {@code length} or more nothing changes
     * @param counts scratch, {@link #MAGNITUDES} values from {@code countsOffset}
     */
    static void keepLargest(byte[] codes, int offset, int length, int keep, int[] counts, int countsOffset) {
        if (keep >= length) {
            return;
        }
        Arrays.fill(counts, countsOffset, countsOffset + MAGNITUDES, 0);
        for (int i = offset; i < offset + length; i++) {
            counts[countsOffset + Math.abs(codes[i])]++;
        }
        int threshold = MAGNITUDES - 1;
        int remaining = keep;
        while (counts[countsOffset + threshold] < remaining) {
            remaining -= counts[countsOffset + threshold];
            threshold--;
        }
        zeroBelow(codes, offset, length, threshold, remaining);
    }

    /** Keeps the {@code n} largest magnitudes of every {@code m} codes; {@code length} is a multiple of {@code m}. */
    static void keepLargestOfEach(byte[] codes, int offset, int length, int n, int m, int[] counts, int countsOffset) {
        Arrays.fill(counts, countsOffset, countsOffset + MAGNITUDES, 0);
        for (int from = offset; from < offset + length; from += m) {
            int largest = 0;
            for (int i = from; i < from + m; i++) {
                int magnitude = Math.abs(codes[i]);
                counts[countsOffset + magnitude]++;
                largest = Math.max(largest, magnitude);
            }
            int threshold = largest;
            int remaining = n;
            while (counts[countsOffset + threshold] < remaining) {
                remaining -= counts[countsOffset + threshold];
                threshold--;
            }
            // Undone one by one: blocks are short, and most counts are zero already.
            for (int i = from; i < from + m; i++) {
                counts[countsOffset + Math.abs(codes[i])] = 0;
            }
            zeroBelow(codes, from, m, threshold, remaining);
        }
    }

    /**
     * Zeroes the codes below {@code threshold}, and of those equal to it all but the first {@code ties}. Without branches, as
     * which codes are small is as good as random.
     */
    private static void zeroBelow(byte[] codes, int offset, int length, int threshold, int ties) {
        int left = ties;
        for (int i = offset; i < offset + length; i++) {
            int magnitude = Math.abs(codes[i]);
            int above = (threshold - magnitude) >> 31; // all ones, or zero
            int equal = ((threshold ^ magnitude) - 1) >> 31;
            left += equal;
            codes[i] &= (byte) (above | (equal & ~(left >> 31)));
        }
    }
}
