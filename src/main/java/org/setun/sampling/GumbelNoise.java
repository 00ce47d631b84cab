package org.setun.sampling;

import java.util.SplittableRandom;

/**
 * Independent numbers of the standard Gumbel distribution, one for each token. Of logits {@code l} and such noise {@code g}, the token
 * with the largest {@code l / temperature + g} is a draw from the softmax of {@code l / temperature} (Gumbel 1954; Maddison, Tarlow and
 * Minka 2014). So a draw is a search for a maximum, needs no exponential, and leaves out whatever cannot be the maximum.
 *
 * <p>For that the noise comes largest first: tokens form blocks of {@link #BLOCK}, and each block's numbers are made in descending
 * order and dealt out to its tokens at random. Most blocks need no more than their largest. The order statistics of uniform numbers
 * follow from one another: {@code U_1 = u_1^(1/n)}, {@code U_k = U_(k-1) u_k^(1/(n-k+1))} (Devroye, Non-Uniform Random Variate
 * Generation, chapter V, section 3.1), and {@code g = -log(-log(U))}.
 *
 * <p>The noise is a function of seed, position and token. For one thread at a time.
 */
public final class GumbelNoise {

    /** Tokens of a block. */
    public static final int BLOCK = 64;

    private final int vocabSize;
    private final double[] values = new double[BLOCK];
    private final int[] tokens = new int[BLOCK];
    private final int[] rankOf = new int[BLOCK];
    private long start;
    private SplittableRandom random = new SplittableRandom(0);
    private int block = -1;
    private int dealt;
    private double logUniform;

    /** Creates the noise of a vocabulary; {@link #begin} says of which place. */
    public GumbelNoise(int vocabSize) {
        this.vocabSize = vocabSize;
    }

    /**
     * Begins the noise of one draw.
     *
     * @param seed the request's seed
     * @param position how many tokens the sequence has before the drawn one
     */
    public void begin(long seed, int position) {
        start = place(seed, position);
        block = -1;
    }

    /** Returns a number for each pair of seed and position that generators of independent numbers can begin with. */
    static long place(long seed, int position) {
        // SplitMix64 scrambles a counter. The seed is scrambled before the position joins it, so that neighbouring
        // seeds and positions do not meet; the multiplier, from L64X128's family (Steele and Vigna 2021), spreads
        // positions out.
        return new SplittableRandom(seed).nextLong() ^ (position * 0xD1342543DE82EF95L);
    }

    /** Returns the number of blocks. */
    public int blocks() {
        return Math.ceilDiv(vocabSize, BLOCK);
    }

    /** Returns the largest number of block {@code block}. */
    public double largest(int block) {
        return value(block, 0);
    }

    /** Returns the number of token {@code id}. */
    public double of(int id) {
        select(id / BLOCK);
        while (dealt < size()) {
            deal();
        }
        return values[rankOf[id % BLOCK]];
    }

    /** Returns the {@code rank}-th largest number of a block, counted from 0; less than {@link #size}. */
    double value(int block, int rank) {
        select(block);
        while (dealt <= rank) {
            deal();
        }
        return values[rank];
    }

    /** Returns the token whose number is the {@code rank}-th largest of a block. */
    int token(int block, int rank) {
        value(block, rank);
        return block * BLOCK + tokens[rank];
    }

    /** Returns how many tokens a block has. */
    int size(int block) {
        return Math.min(BLOCK, vocabSize - block * BLOCK);
    }

    private int size() {
        return size(block);
    }

    private void select(int wanted) {
        if (wanted != block) {
            block = wanted;
            random = new SplittableRandom(start + wanted * 0x9E3779B97F4A7C15L);
            dealt = 0;
            logUniform = 0;
            for (int i = 0; i < BLOCK; i++) {
                tokens[i] = i;
            }
        }
    }

    /** Makes the next largest number of the block and gives it to one of the tokens that have none. */
    private void deal() {
        int left = size() - dealt;
        // 0 would be the logarithm's end; the next number above it is as probable.
        double uniform = Math.max(random.nextDouble(), Double.MIN_NORMAL);
        logUniform += StrictMath.log(uniform) / left;
        values[dealt] = -StrictMath.log(-logUniform);
        int chosen = dealt + random.nextInt(left);
        int token = tokens[chosen];
        tokens[chosen] = tokens[dealt];
        tokens[dealt] = token;
        rankOf[token] = dealt++;
    }
}
