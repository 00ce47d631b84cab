/*
 * Weights in cells (org.setun.tensor.CellMatrix) on AVX2. Half a cell is a register: 16 words, each with eight codes, trit + 1, of
 * a row. Shifts and masks give the codes of columns k and k + 4 of every row, and vpmaddubsw multiplies these pairs of unsigned
 * bytes with pairs of signed activations and adds the two products to a 16-bit lane.
 *
 * Nothing saturates or wraps around: a code is at most 2 and an activation in [-128, 127], so a pair's sum is in [-512, 508]. A
 * lane takes 64 of these, [-32768, 32512], before it is added to the 32-bit sums. As sum(x * trit) = sum(x * (trit + 1)) - sum(x),
 * those start from minus the sum of the activations.
 */
#include "setun_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE static inline __attribute__((always_inline)) TARGET

enum {
    GROUP = 8,          /* columns of a cell */
    CELL_ROWS = 32,
    CELL = 64,          /* bytes of a cell */
    GROUP_PAIRS = 4,
    CHUNK = 16,         /* groups whose 64 pairs a 16-bit lane can add up */
    TILE_TOKENS = 4,    /* with two vectors of rows 8 accumulators, half of the registers */
    PIECE_TOKENS = 64,  /* whose activations of a chunk stay in the first-level cache beside a tile */
    BLOCKS = 8,         /* blocks of 32 rows that share the arranged activations of many tokens */
    PREFETCH = 512,     /* bytes ahead of the one that is read */
    DIRECT_TOKENS = 2,  /* up to which a tile does not pay */
    PAIR_BYTES = 4,     /* of two activations: a pair twice, as broadcasting 32 bits takes no more than a load */
    ACTIVATION_BYTES = CHUNK * GROUP_PAIRS * PAIR_BYTES
};

/* 16-bit sums of 16 rows: a type of its own, as for AVX-512. */
typedef uint16_t Sums __attribute__((vector_size(32)));

typedef struct {
    Sums first, second;
} Rows32;

/* Puts a chunk's activations in pairs. The caller's rows of activations have multiples of 64 columns. */
INLINE void arrange(const int8_t *codes, int stride, int groups, int tokens, uint8_t *activations) {
    __m256i order = _mm256_setr_epi8(0, 4, 0, 4, 1, 5, 1, 5, 2, 6, 2, 6, 3, 7, 3, 7, 8, 12, 8, 12, 9, 13, 9, 13, 10, 14,
                                     10, 14, 11, 15, 11, 15);
    for (int token = 0; token < tokens; token++) {
        const int8_t *from = codes + (int64_t)token * stride;
        uint8_t *to = activations + token * ACTIVATION_BYTES;
        for (int group = 0; group < groups; group += 2) {
            __m256i x = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(from + group * GROUP)));
            _mm256_storeu_si256((__m256i *)(to + group * GROUP_PAIRS * PAIR_BYTES), _mm256_shuffle_epi8(x, order));
        }
    }
}

/* The codes of columns k and k + 4. */
INLINE __m256i codes_of(__m256i words, const int k) {
    return _mm256_and_si256(_mm256_srli_epi16(words, 2 * k), _mm256_set1_epi8(3));
}

INLINE __m256i load(const uint8_t *from) { return _mm256_load_si256((const __m256i *)from); }

/* Unpacks a chunk of 32 rows: for every pair of columns 32 rows in their order. */
TARGET static __attribute__((noinline)) void unpack(const uint8_t *cells, int groups, uint8_t *tile) {
    for (int group = 0; group < groups; group++) {
        _mm_prefetch(cells + PREFETCH, _MM_HINT_T0);
        __m256i first = load(cells);
        __m256i second = load(cells + CELL / 2);
#pragma GCC unroll 4
        for (int k = 0; k < GROUP_PAIRS; k++) {
            _mm256_store_si256((__m256i *)tile, codes_of(first, k));
            _mm256_store_si256((__m256i *)(tile + 32), codes_of(second, k));
            tile += 64;
        }
        cells += CELL;
    }
}

INLINE Rows32 add_pair(Rows32 sums, __m256i first, __m256i second, const uint8_t *pair) {
    int32_t twice;
    memcpy(&twice, pair, sizeof twice);
    __m256i x = _mm256_set1_epi32(twice);
    sums.first += (Sums)_mm256_maddubs_epi16(first, x);
    sums.second += (Sums)_mm256_maddubs_epi16(second, x);
    return sums;
}

INLINE void add_8(__m128i narrow, int rows_left, int32_t *out) {
    __m256i wide = _mm256_cvtepi16_epi32(narrow);
    if (rows_left >= 8) {
        __m256i *to = (__m256i *)out;
        _mm256_storeu_si256(to, _mm256_add_epi32(_mm256_loadu_si256(to), wide));
        return;
    }
    int32_t last[8];
    _mm256_storeu_si256((__m256i *)last, wide);
    for (int row = 0; row < rows_left; row++) {
        out[row] += last[row];
    }
}

INLINE void add_rows(Rows32 sums, int rows_left, int32_t *out) {
    __m256i first = (__m256i)sums.first, second = (__m256i)sums.second;
    add_8(_mm256_castsi256_si128(first), rows_left, out);
    add_8(_mm256_extracti128_si256(first, 1), rows_left - 8, out + 8);
    add_8(_mm256_castsi256_si128(second), rows_left - 16, out + 16);
    add_8(_mm256_extracti128_si256(second, 1), rows_left - 24, out + 24);
}

/* Adds the products of a tile and `tokens` tokens, a constant. */
INLINE void add_tile(const int tokens, const uint8_t *tile, int pairs, const uint8_t *activations, int rows,
                     int rows_left, int32_t *sums) {
    Rows32 s0 = {{0}, {0}}, s1 = s0, s2 = s0, s3 = s0;
    for (int pair = 0; pair < pairs; pair++) {
        __m256i first = load(tile);
        __m256i second = load(tile + 32);
        s0 = add_pair(s0, first, second, activations);
        if (tokens > 1) s1 = add_pair(s1, first, second, activations + 1 * ACTIVATION_BYTES);
        if (tokens > 2) s2 = add_pair(s2, first, second, activations + 2 * ACTIVATION_BYTES);
        if (tokens > 3) s3 = add_pair(s3, first, second, activations + 3 * ACTIVATION_BYTES);
        tile += 64;
        activations += PAIR_BYTES;
    }
    add_rows(s0, rows_left, sums);
    if (tokens > 1) add_rows(s1, rows_left, sums + 1 * (int64_t)rows);
    if (tokens > 2) add_rows(s2, rows_left, sums + 2 * (int64_t)rows);
    if (tokens > 3) add_rows(s3, rows_left, sums + 3 * (int64_t)rows);
}

/* A function of its own, so that the registers are its own. */
TARGET static __attribute__((noinline)) void add_4_tokens(const uint8_t *tile, int pairs, const uint8_t *activations,
                                                          int rows, int rows_left, int32_t *sums) {
    add_tile(TILE_TOKENS, tile, pairs, activations, rows, rows_left, sums);
}

TARGET static __attribute__((noinline)) void add_last_tokens(const uint8_t *tile, int pairs, const uint8_t *activations,
                                                             int tokens, int rows, int rows_left, int32_t *sums) {
    switch (tokens) {
    case 1:
        add_tile(1, tile, pairs, activations, rows, rows_left, sums);
        break;
    case 2:
        add_tile(2, tile, pairs, activations, rows, rows_left, sums);
        break;
    case 3:
        add_tile(3, tile, pairs, activations, rows, rows_left, sums);
        break;
    default:
        break;
    }
}

/* Adds the products of a chunk of 32 rows and one token, without a tile. */
TARGET static __attribute__((noinline)) void add_cells(const uint8_t *cells, int groups, const uint8_t *activations,
                                                       int rows_left, int32_t *sums) {
    Rows32 sum = {{0}, {0}};
    for (int group = 0; group < groups; group++) {
        _mm_prefetch(cells + PREFETCH, _MM_HINT_T0);
        __m256i first = load(cells);
        __m256i second = load(cells + CELL / 2);
#pragma GCC unroll 4
        for (int k = 0; k < GROUP_PAIRS; k++) {
            sum = add_pair(sum, codes_of(first, k), codes_of(second, k), activations + k * PAIR_BYTES);
        }
        cells += CELL;
        activations += GROUP_PAIRS * PAIR_BYTES;
    }
    add_rows(sum, rows_left, sums);
}

/* Adds the products of a chunk of 32 rows. */
INLINE void add_chunk(const uint8_t *cells, int groups, const uint8_t *activations, int tokens, int rows, int rows_left,
                      int32_t *sums) {
    uint8_t tile[CHUNK * GROUP * CELL_ROWS] __attribute__((aligned(32)));
    if (tokens <= DIRECT_TOKENS) {
        for (int token = 0; token < tokens; token++) {
            add_cells(cells, groups, activations + token * ACTIVATION_BYTES, rows_left, sums + (int64_t)token * rows);
        }
        return;
    }
    unpack(cells, groups, tile);
    int token = 0;
    for (; token + TILE_TOKENS <= tokens; token += TILE_TOKENS) {
        add_4_tokens(tile, groups * GROUP_PAIRS, activations + token * ACTIVATION_BYTES, rows, rows_left,
                     sums + (int64_t)token * rows);
    }
    add_last_tokens(tile, groups * GROUP_PAIRS, activations + token * ACTIVATION_BYTES, tokens - token, rows, rows_left,
                    sums + (int64_t)token * rows);
}

/* Sets the sums of rows [from_row, to_row) to minus the sum of the activations. */
TARGET static void start_sums(const int8_t *codes, int stride, int columns, int tokens, int rows, int from_row,
                              int to_row, int32_t *sums) {
    for (int token = 0; token < tokens; token++) {
        int32_t total = 0;
        for (int column = 0; column < columns; column++) {
            total += codes[(int64_t)token * stride + column];
        }
        for (int row = from_row; row < to_row; row++) {
            sums[(int64_t)token * rows + row] = -total;
        }
    }
}

TARGET static void multiply(const uint8_t *weights, int rows, int groups, const int8_t *codes, int stride, int tokens,
                            int from_row, int to_row, int32_t *sums) {
    uint8_t activations[PIECE_TOKENS * ACTIVATION_BYTES] __attribute__((aligned(32)));
    /* Few tokens wait for memory, which is fastest if it is read in order: block after block. */
    int together_rows = tokens < 2 * TILE_TOKENS ? CELL_ROWS : BLOCKS * CELL_ROWS;
    /* Whatever stands in the padding is multiplied by 1, and taken away again. */
    start_sums(codes, stride, groups * GROUP, tokens, rows, from_row, to_row, sums);
    for (int first = from_row; first < to_row; first += together_rows) {
        for (int chunk = 0; chunk < groups; chunk += CHUNK) {
            int count = groups - chunk < CHUNK ? groups - chunk : CHUNK;
            arrange(codes + chunk * GROUP, stride, count, tokens, activations);
            for (int row = first; row < to_row && row < first + together_rows; row += CELL_ROWS) {
                const uint8_t *cells = weights + ((int64_t)(row / CELL_ROWS) * groups + chunk) * CELL;
                add_chunk(cells, count, activations, tokens, rows, to_row - row, sums + row);
            }
        }
    }
}

TARGET SETUN_PRODUCT(setun_avx2) {
    (void)negatives;
    (void)panel_rows;
    int groups = (columns + GROUP - 1) / GROUP;
    for (int token = 0; token < tokens; token += PIECE_TOKENS) {
        int count = tokens - token < PIECE_TOKENS ? tokens - token : PIECE_TOKENS;
        multiply(weights, rows, groups, codes + (int64_t)token * stride, stride, count, from_row, to_row,
                 sums + (int64_t)token * rows);
    }
}

#endif
