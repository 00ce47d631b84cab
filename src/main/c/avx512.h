/* What the products for AVX-512 share. TARGET is the including file's. */
#ifndef SETUN_AVX512_H
#define SETUN_AVX512_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline)) TARGET

/* A function of its own has the registers to itself. */
#define NO_INLINE static __attribute__((noinline)) TARGET

/*
 * Accumulators. Of __m512i, which has 64-bit lanes, gcc 12 keeps two copies in a loop, one a type, and spills half of them in every
 * step; arrays of accumulators it keeps in memory.
 */
typedef int32_t Sums __attribute__((vector_size(64)));
typedef uint16_t Shorts __attribute__((vector_size(64)));
typedef uint8_t Bytes __attribute__((vector_size(64)));

enum {
    REGISTER = 64,         /* bytes */
    PIECE_TOKENS = 128,    /* whose activations of a chunk of columns stay in the cache */
    ACTIVATION_BYTES = 256 /* of a token's activations of a chunk */
};

INLINE __m512i load(const void *from) { return _mm512_load_si512(from); }

/* The lanes of 16 that are rows, where `rows_left` are left. */
INLINE __mmask16 row_mask(int rows_left) {
    return rows_left >= 16 ? 0xffff : rows_left <= 0 ? 0 : (__mmask16)((1u << rows_left) - 1);
}

/* Loads up to 64 codes, zeros beyond `count`. */
INLINE __m512i load_codes(const int8_t *codes, int count) {
    __mmask64 mask = count >= REGISTER ? ~0ull : count <= 0 ? 0 : (1ull << count) - 1;
    return _mm512_maskz_loadu_epi8(mask, codes);
}

/* Adds to the sums of up to 16 rows. */
INLINE void add_16(__m512i sum, int rows_left, int32_t *sums) {
    __mmask16 mask = row_mask(rows_left);
    _mm512_mask_storeu_epi32(sums, mask, _mm512_add_epi32(_mm512_maskz_loadu_epi32(mask, sums), sum));
}

/* Four activations in every lane. */
INLINE __m512i four(const uint8_t *activations) {
    int32_t codes;
    memcpy(&codes, activations, sizeof codes);
    return _mm512_set1_epi32(codes);
}

/*
 * Multiplies the bytes of 16 lanes, which are trit + 1 of a row at four columns, with four activations and adds them up. Nothing
 * saturates. As sum(x * trit) = sum(x * (trit + 1)) - sum(x), sums start from start_sums().
 */
INLINE Sums dot(Sums sum, __m512i weights, __m512i x) {
    return (Sums)_mm512_dpbusd_epi32((__m512i)sum, weights, x);
}

/* Sets the sums of rows [from_row, to_row) to minus the sum of the activations. */
NO_INLINE void start_sums(const int8_t *codes, int stride, int columns, int tokens, int rows, int from_row, int to_row,
                          int32_t *sums) {
    for (int token = 0; token < tokens; token++) {
        __m512i total = _mm512_setzero_si512();
        for (int column = 0; column < columns; column += REGISTER) {
            __m512i x = load_codes(codes + (int64_t)token * stride + column, columns - column);
            total = _mm512_dpbusd_epi32(total, _mm512_set1_epi8(1), x);
        }
        __m512i start = _mm512_set1_epi32(-_mm512_reduce_add_epi32(total));
        for (int row = from_row; row < to_row; row += 16) {
            _mm512_mask_storeu_epi32(sums + (int64_t)token * rows + row, row_mask(to_row - row), start);
        }
    }
}

#endif
