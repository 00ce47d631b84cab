package org.setun.engine;

import java.util.Arrays;

/**
 * The tokens of a sequence, and for each of its beginnings a number that is the same for the same tokens. Tokens are only added, so
 * that others may keep the array and compare with a beginning of it. For the engine thread.
 */
final class Prefix {

    private final double activationSparsity;
    private int[] tokens;
    private int length;
    private long[] hashes;
    private int hashed;

    /** Begins with {@code prompt}, which is not copied. */
    Prefix(int[] prompt, double activationSparsity) {
        this.activationSparsity = activationSparsity;
        this.tokens = prompt;
        this.length = prompt.length;
        this.hashes = new long[prompt.length + 1];
        // States of the same tokens differ with the sparsity that they were computed with.
        this.hashes[0] = Double.doubleToLongBits(activationSparsity);
    }

    double activationSparsity() {
        return activationSparsity;
    }

    /** Adds a token. */
    void append(int id) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, length + Math.max(16, length / 2));
        }
        tokens[length++] = id;
    }

    /** Gives back the room for more tokens: the text is complete, and others may keep its array. */
    void complete() {
        if (tokens.length > length) {
            tokens = Arrays.copyOf(tokens, length);
        }
    }

    int length() {
        return length;
    }

    int token(int index) {
        if (index >= length) {
            throw new IndexOutOfBoundsException("token " + index + " of " + length);
        }
        return tokens[index];
    }

    /** Returns the tokens from {@code from} to before {@code to}. */
    int[] slice(int from, int to) {
        return Arrays.copyOfRange(tokens, from, to);
    }

    /** Returns an array that begins with the tokens so far, and keeps on doing so. */
    int[] array() {
        return tokens;
    }

    /** Returns the number of the first {@code count} tokens; other tokens have hardly ever the same one. */
    long hash(int count) {
        if (count > hashed) {
            if (count >= hashes.length) {
                hashes = Arrays.copyOf(hashes, tokens.length + 1);
            }
            for (int i = hashed; i < count; i++) {
                hashes[i + 1] = next(hashes[i], tokens[i]);
            }
            hashed = count;
        }
        return hashes[count];
    }

    /** Mixes as SplitMix64 does (Steele, Lea and Flood 2014), so that neighbouring tokens and hashes do not meet. */
    private static long next(long hash, int token) {
        long mixed = hash + (token + 1) * 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }

    /** Returns whether the tokens from {@code from} to before {@code to} are those of {@code other} at the same places. */
    boolean matches(int[] other, int from, int to) {
        return to <= length && Arrays.equals(tokens, from, to, other, from, to);
    }

    /** Returns how many tokens both begin with alike, at most {@code limit}. */
    int common(Prefix other, int limit) {
        int end = Math.min(limit, Math.min(length, other.length));
        int mismatch = Arrays.mismatch(tokens, 0, end, other.tokens, 0, end);
        return mismatch < 0 ? end : mismatch;
    }
}
