/*
 * Weights in cells (org.setun.tensor.CellMatrix) on NEON with the dot product. A cell is four registers of eight words, each with
 * eight codes, trit + 1, of a row. Shifts and masks give the codes of columns k and k + 4 of every row; two of these interleaved
 * have four codes of a row in a lane of 32 bits, of the columns 0 4 1 5 or 2 6 3 7. A tile of them is multiplied with the
 * activations of all tokens: sdot adds the products of the four bytes of each lane to it, in 32 bits and exactly. As
 * sum(x * trit) = sum(x * (trit + 1)) - sum(x), sums start from minus the sum of the activations.
 */
#include "setun_kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#if defined(__ARM_FEATURE_DOTPROD)
#define TARGET
#elif defined(__clang__)
#define TARGET __attribute__((target("dotprod")))
#else
#define TARGET __attribute__((target("arch=armv8.2-a+dotprod")))
#endif
#define INLINE static inline __attribute__((always_inline)) TARGET
#define NO_INLINE static __attribute__((noinline)) TARGET

enum {
    GROUP = 8,                          /* columns of a cell */
    CELL_ROWS = 32,
    CELL = 64,                          /* bytes of a cell */
    CHUNK = 32,                         /* groups of a tile */
    LANES = 4,                          /* rows of a register of sums */
    STEP = CELL_ROWS * 4,               /* bytes of a tile for four columns */
    BLOCKS = 4,                         /* of 32 rows, that share arranged activations */
    MOST_TOKENS = 4,                    /* that are multiplied together: with 16 rows 16 accumulators, half of the registers */
    PIECE_TOKENS = 64,                  /* whose activations of a chunk stay in the cache */
    ACTIVATION_BYTES = CHUNK * GROUP
};

/* Puts a chunk's activations in the order of the codes. The caller's rows of activations have multiples of 64 columns. */
INLINE void arrange(const int8_t *codes, int stride, int groups, int tokens, int8_t *activations) {
    static const uint8_t columns[16] = {0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15};
    uint8x16_t order = vld1q_u8(columns);
    for (int token = 0; token < tokens; token++) {
        const int8_t *from = codes + (int64_t)token * stride;
        for (int column = 0; column < groups * GROUP; column += 16) {
            vst1q_s8(activations + token * ACTIVATION_BYTES + column, vqtbl1q_s8(vld1q_s8(from + column), order));
        }
    }
}

/* Stores rows 0..3 and 4..7 of two columns each of `even` and `odd`. */
INLINE void store(uint8x16_t even, uint8x16_t odd, int8_t *to) {
    uint16x8_t a = vreinterpretq_u16_u8(even);
    uint16x8_t b = vreinterpretq_u16_u8(odd);
    vst1q_s8(to, vreinterpretq_s8_u16(vzip1q_u16(a, b)));
    vst1q_s8(to + 16, vreinterpretq_s8_u16(vzip2q_u16(a, b)));
}

/* Unpacks a chunk of 32 rows: two steps a cell, and in a step the rows in their order. */
NO_INLINE void unpack(const uint8_t *cells, int groups, int8_t *tile) {
    uint8x16_t mask = vdupq_n_u8(3);
    for (int group = 0; group < groups; group++) {
        for (int i = 0; i < 4; i++) {
            uint8x16_t words = vld1q_u8(cells + 16 * i);
            uint8x16_t codes_04 = vandq_u8(words, mask);
            uint8x16_t codes_15 = vandq_u8(vshrq_n_u8(words, 2), mask);
            uint8x16_t codes_26 = vandq_u8(vshrq_n_u8(words, 4), mask);
            uint8x16_t codes_37 = vshrq_n_u8(words, 6);
            store(codes_04, codes_15, tile + 32 * i);
            store(codes_26, codes_37, tile + STEP + 32 * i);
        }
        cells += CELL;
        tile += 2 * STEP;
    }
}

/* The sums of 16 rows. */
typedef struct {
    int32x4_t v0, v1, v2, v3;
} Rows;

typedef struct {
    int8x16_t v0, v1, v2, v3;
} Weights;

/* Multiplies step `lane`, a constant, of the four that 16 activations are. */
INLINE Rows dot(Rows sums, Weights weights, int8x16_t x, const int lane) {
#define DOT(v) sums.v = lane == 0   ? vdotq_laneq_s32(sums.v, weights.v, x, 0)                                          \
                        : lane == 1 ? vdotq_laneq_s32(sums.v, weights.v, x, 1)                                          \
                        : lane == 2 ? vdotq_laneq_s32(sums.v, weights.v, x, 2)                                          \
                                    : vdotq_laneq_s32(sums.v, weights.v, x, 3)
    DOT(v0);
    DOT(v1);
    DOT(v2);
    DOT(v3);
#undef DOT
    return sums;
}

INLINE void add_4(int32x4_t sum, int rows_left, int32_t *sums) {
    if (rows_left >= LANES) {
        vst1q_s32(sums, vaddq_s32(vld1q_s32(sums), sum));
        return;
    }
    int32_t last[LANES];
    vst1q_s32(last, sum);
    for (int row = 0; row < rows_left; row++) {
        sums[row] += last[row];
    }
}

INLINE void add_rows(Rows rows, int rows_left, int32_t *sums) {
    add_4(rows.v0, rows_left, sums);
    add_4(rows.v1, rows_left - 4, sums + 4);
    add_4(rows.v2, rows_left - 8, sums + 8);
    add_4(rows.v3, rows_left - 12, sums + 12);
}

/* Adds the products of 16 rows of a tile and `tokens` tokens, a constant. */
INLINE void multiply_tile(const int tokens, const int8_t *tile, int groups, const int8_t *activations, int rows,
                          int rows_left, int32_t *sums) {
    int32x4_t zero = vdupq_n_s32(0);
    Rows s0 = {zero, zero, zero, zero}, s1 = s0, s2 = s0, s3 = s0;
    /* Sixteen activations are two cells; the last cell of an odd number has eight. */
    for (int group = 0; group < groups; group += 2) {
        int8x16_t x0 = vld1q_s8(activations);
        int8x16_t x1 = tokens > 1 ? vld1q_s8(activations + 1 * ACTIVATION_BYTES) : x0;
        int8x16_t x2 = tokens > 2 ? vld1q_s8(activations + 2 * ACTIVATION_BYTES) : x0;
        int8x16_t x3 = tokens > 3 ? vld1q_s8(activations + 3 * ACTIVATION_BYTES) : x0;
#pragma GCC unroll 4
        for (int step = 0; step < 4; step++) {
            if (step == 2 && group + 1 == groups) {
                break;
            }
            Weights weights = {vld1q_s8(tile), vld1q_s8(tile + 16), vld1q_s8(tile + 32), vld1q_s8(tile + 48)};
            s0 = dot(s0, weights, x0, step);
            if (tokens > 1) s1 = dot(s1, weights, x1, step);
            if (tokens > 2) s2 = dot(s2, weights, x2, step);
            if (tokens > 3) s3 = dot(s3, weights, x3, step);
            tile += STEP;
        }
        activations += 2 * GROUP;
    }
    int64_t next = rows;
    add_rows(s0, rows_left, sums);
    if (tokens > 1) add_rows(s1, rows_left, sums + 1 * next);
    if (tokens > 2) add_rows(s2, rows_left, sums + 2 * next);
    if (tokens > 3) add_rows(s3, rows_left, sums + 3 * next);
}

#define MULTIPLY_TILE(n)                                                                                               \
    NO_INLINE void multiply_tile_##n(const int8_t *tile, int groups, const int8_t *activations, int rows,              \
                                     int rows_left, int32_t *sums) {                                                   \
        multiply_tile(n, tile, groups, activations, rows, rows_left, sums);                                            \
    }

MULTIPLY_TILE(1)
MULTIPLY_TILE(2)
MULTIPLY_TILE(3)
MULTIPLY_TILE(4)

typedef void (*MultiplyTile)(const int8_t *, int, const int8_t *, int, int, int32_t *);

static const MultiplyTile MULTIPLY_TILE[MOST_TOKENS] = {multiply_tile_1, multiply_tile_2, multiply_tile_3,
                                                        multiply_tile_4};

/* Sets the sums of rows [from_row, to_row) to minus the sum of the activations. */
NO_INLINE void start_sums(const int8_t *codes, int stride, int columns, int tokens, int rows, int from_row, int to_row,
                          int32_t *sums) {
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

NO_INLINE void multiply(const uint8_t *weights, int rows, int groups, const int8_t *codes, int stride, int tokens,
                        int from_row, int to_row, int32_t *sums) {
    int8_t tile[CHUNK * GROUP * CELL_ROWS] __attribute__((aligned(16)));
    int8_t activations[PIECE_TOKENS * ACTIVATION_BYTES] __attribute__((aligned(16)));
    /* Whatever stands in the padding is multiplied by 1, and taken away again. */
    start_sums(codes, stride, groups * GROUP, tokens, rows, from_row, to_row, sums);
    for (int first = from_row; first < to_row; first += BLOCKS * CELL_ROWS) {
        for (int chunk = 0; chunk < groups; chunk += CHUNK) {
            int count = groups - chunk < CHUNK ? groups - chunk : CHUNK;
            arrange(codes + chunk * GROUP, stride, count, tokens, activations);
            for (int block = first; block < to_row && block < first + BLOCKS * CELL_ROWS; block += CELL_ROWS) {
                unpack(weights + ((int64_t)(block / CELL_ROWS) * groups + chunk) * CELL, count, tile);
                for (int token = 0; token < tokens; token += MOST_TOKENS) {
                    int together = tokens - token < MOST_TOKENS ? tokens - token : MOST_TOKENS;
                    for (int row = block; row < to_row && row < block + CELL_ROWS; row += 4 * LANES) {
                        MULTIPLY_TILE[together - 1](tile + (row - block) * 4, count,
                                                    activations + token * ACTIVATION_BYTES, rows, to_row - row,
                                                    sums + (int64_t)token * rows + row);
                    }
                }
            }
        }
    }
}

TARGET SETUN_PRODUCT(setun_neon) {
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
