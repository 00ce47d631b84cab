package org.setun.sampling;

/**
 * Selects the best tokens by partitioning around pivots (Hoare's quickselect): the time grows with the number of
 * candidates, not with that number times its logarithm. Best is the higher logit, and of equal ones the lower id, so no two
 * tokens rank alike and the selected set is unique.
 */
final class BestFirst {

    private BestFirst() {}

    /** Returns whether token {@code a} is better than token {@code b}. */
    static boolean precedes(float[] logits, int offset, int a, int b) {
        float logitA = logits[offset + a];
        float logitB = logits[offset + b];
        return logitA > logitB || (logitA == logitB && a < b);
    }

    /** Returns the last in rank of the {@code count} first ids, at least one. */
    static int last(float[] logits, int offset, int[] ids, int count) {
        int last = ids[0];
        for (int i = 1; i < count; i++) {
            if (precedes(logits, offset, last, ids[i])) {
                last = ids[i];
            }
        }
        return last;
    }

    /** Reorders the {@code count} first ids so that the {@code k} best of them come first, in any order. */
    static void partition(float[] logits, int offset, int[] ids, int count, int k) {
        int from = 0;
        int to = count;
        while (from < k && k < to) {
            int pivot = partitionAroundPivot(logits, offset, ids, from, to);
            if (pivot >= k) {
                to = pivot;
            } else {
                from = pivot + 1;
            }
        }
    }

    /**
     * Reorders the {@code count} first ids so that the smallest set of best ones whose weights, indexed by id, reach
     * {@code mass} comes first, in any order. Returns its size, at least 1.
     */
    static int partitionByMass(float[] logits, int offset, int[] ids, int count, double[] weights, double mass) {
        int from = 0;
        int to = count;
        double before = 0;
        while (to - from > 1) {
            int pivot = partitionAroundPivot(logits, offset, ids, from, to);
            double better = before;
            for (int i = from; i < pivot; i++) {
                better += weights[ids[i]];
            }
            double throughPivot = better + weights[ids[pivot]];
            if (better >= mass) {
                to = pivot;
            } else if (throughPivot >= mass) {
                return pivot + 1;
            } else {
                before = throughPivot;
                from = pivot + 1;
            }
        }
        // What is left is one token that is needed, or none when rounding keeps the sum of all just below the mass.
        return Math.max(to, 1);
    }

    /** Moves a pivot of {@code ids[from, to)} to its place, better ids before it and worse ones after; returns the place. */
    private static int partitionAroundPivot(float[] logits, int offset, int[] ids, int from, int to) {
        swap(ids, medianOfThree(logits, offset, ids, from, (from + to) >>> 1, to - 1), to - 1);
        int pivot = ids[to - 1];
        int place = from;
        for (int i = from; i < to - 1; i++) {
            if (precedes(logits, offset, ids[i], pivot)) {
                swap(ids, i, place++);
            }
        }
        swap(ids, place, to - 1);
        return place;
    }

    private static int medianOfThree(float[] logits, int offset, int[] ids, int a, int b, int c) {
        boolean ab = precedes(logits, offset, ids[a], ids[b]);
        boolean bc = precedes(logits, offset, ids[b], ids[c]);
        boolean ac = precedes(logits, offset, ids[a], ids[c]);
        if (ab == bc) {
            return b;
        }
        return ab == ac ? c : a;
    }

    private static void swap(int[] ids, int i, int j) {
        int id = ids[i];
        ids[i] = ids[j];
        ids[j] = id;
    }
}
