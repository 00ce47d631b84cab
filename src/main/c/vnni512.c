/*
 * Weights in cells (org.setun.tensor.CellMatrix) on AVX-512 with VNNI. A cell is a register: 32 words, each with eight codes,
 * trit + 1, of a row. Shifts and masks give the codes of columns k and k + 4 of every row; two of these interleaved have four
 * codes of a row in a lane of 32 bits, of the columns 0 4 1 5 or 2 6 3 7, and are multiplied with the activations of up to eight
 * tokens. The processor unpacks in the shadow of the multiplications: keeping what was unpacked for more tokens was slower.
 */
#include "setun_kernels.h"

#if defined(__x86_64__)

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#include "avx512.h"

enum {
    GROUP = 8,       /* columns of a cell */
    CELL_ROWS = 32,
    CHUNK = 32,      /* groups whose activations there is room for */
    BLOCKS = 4,      /* blocks of 32 rows that share the arranged activations of many tokens */
    PREFETCH = 512   /* bytes ahead of the one that is read */
};

/* The codes of a cell. Interleaving works within 128 bits: low has the rows 0..3, 8..11, 16..19, 24..27, high the others. */
typedef struct {
    __m512i low_0415, high_0415, low_2637, high_2637;
} Codes;

INLINE Codes codes_of(__m512i cell) {
    __m512i mask = _mm512_set1_epi8(3);
    __m512i codes_04 = _mm512_and_si512(cell, mask);
    __m512i codes_15 = _mm512_and_si512(_mm512_srli_epi16(cell, 2), mask);
    __m512i codes_26 = _mm512_and_si512(_mm512_srli_epi16(cell, 4), mask);
    __m512i codes_37 = _mm512_and_si512(_mm512_srli_epi16(cell, 6), mask);
    Codes codes = {_mm512_unpacklo_epi16(codes_04, codes_15), _mm512_unpackhi_epi16(codes_04, codes_15),
                   _mm512_unpacklo_epi16(codes_26, codes_37), _mm512_unpackhi_epi16(codes_26, codes_37)};
    return codes;
}

/* Puts a chunk's activations in the order of the codes. */
INLINE void arrange(const int8_t *codes, int stride, int columns, int tokens, uint8_t *activations) {
    __m512i order = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15));
    for (int token = 0; token < tokens; token++) {
        for (int column = 0; column < columns && column < CHUNK * GROUP; column += REGISTER) {
            __m512i x = load_codes(codes + (int64_t)token * stride + column, columns - column);
            _mm512_store_si512(activations + token * ACTIVATION_BYTES + column, _mm512_shuffle_epi8(x, order));
        }
    }
}

/* The sums of 32 rows. */
typedef struct {
    Sums low, high;
} Rows;

INLINE Rows add_cell(Rows sums, Codes codes, const uint8_t *activations) {
    __m512i x = four(activations);
    sums.low = dot(sums.low, codes.low_0415, x);
    sums.high = dot(sums.high, codes.high_0415, x);
    x = four(activations + 4);
    sums.low = dot(sums.low, codes.low_2637, x);
    sums.high = dot(sums.high, codes.high_2637, x);
    return sums;
}

INLINE void add_rows(Rows rows, int rows_left, int32_t *sums) {
    __m512i low = (__m512i)rows.low, high = (__m512i)rows.high;
    __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    __m512i second = _mm512_setr_epi32(8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    add_16(_mm512_permutex2var_epi32(low, first, high), rows_left, sums);
    add_16(_mm512_permutex2var_epi32(low, second, high), rows_left - 16, sums + 16);
}

/* Adds the products of a chunk of 32 rows and `tokens` tokens, a constant. */
INLINE void add_tokens(const int tokens, const uint8_t *cells, int groups, const uint8_t *activations, int rows,
                       int rows_left, int32_t *sums) {
    Rows s0 = {{0}, {0}}, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    for (int group = 0; group < groups; group++) {
        _mm_prefetch(cells + PREFETCH, _MM_HINT_T0);
        Codes codes = codes_of(load(cells));
        s0 = add_cell(s0, codes, activations);
        if (tokens > 1) s1 = add_cell(s1, codes, activations + 1 * ACTIVATION_BYTES);
        if (tokens > 2) s2 = add_cell(s2, codes, activations + 2 * ACTIVATION_BYTES);
        if (tokens > 3) s3 = add_cell(s3, codes, activations + 3 * ACTIVATION_BYTES);
        if (tokens > 4) s4 = add_cell(s4, codes, activations + 4 * ACTIVATION_BYTES);
        if (tokens > 5) s5 = add_cell(s5, codes, activations + 5 * ACTIVATION_BYTES);
        if (tokens > 6) s6 = add_cell(s6, codes, activations + 6 * ACTIVATION_BYTES);
        if (tokens > 7) s7 = add_cell(s7, codes, activations + 7 * ACTIVATION_BYTES);
        cells += REGISTER;
        activations += GROUP;
    }
    int64_t next = rows;
    add_rows(s0, rows_left, sums);
    if (tokens > 1) add_rows(s1, rows_left, sums + 1 * next);
    if (tokens > 2) add_rows(s2, rows_left, sums + 2 * next);
    if (tokens > 3) add_rows(s3, rows_left, sums + 3 * next);
    if (tokens > 4) add_rows(s4, rows_left, sums + 4 * next);
    if (tokens > 5) add_rows(s5, rows_left, sums + 5 * next);
    if (tokens > 6) add_rows(s6, rows_left, sums + 6 * next);
    if (tokens > 7) add_rows(s7, rows_left, sums + 7 * next);
}

#define ADD_TOKENS(n)                                                                                                  \
    NO_INLINE void add_tokens_##n(const uint8_t *cells, int groups, const uint8_t *activations, int rows,              \
                                  int rows_left, int32_t *sums) {                                                      \
        add_tokens(n, cells, groups, activations, rows, rows_left, sums);                                              \
    }

ADD_TOKENS(1)
ADD_TOKENS(2)
ADD_TOKENS(3)
ADD_TOKENS(4)
ADD_TOKENS(5)
ADD_TOKENS(6)
ADD_TOKENS(7)
ADD_TOKENS(8)

typedef void (*AddTokens)(const uint8_t *, int, const uint8_t *, int, int, int32_t *);

static const AddTokens ADD_TOKENS[] = {add_tokens_1, add_tokens_2, add_tokens_3, add_tokens_4,
                                       add_tokens_5, add_tokens_6, add_tokens_7, add_tokens_8};

enum { MOST_TOKENS = sizeof ADD_TOKENS / sizeof *ADD_TOKENS };

TARGET static void multiply(const uint8_t *weights, int rows, int columns, const int8_t *codes, int stride, int tokens,
                            int from_row, int to_row, int32_t *sums) {
    uint8_t activations[PIECE_TOKENS * ACTIVATION_BYTES] __attribute__((aligned(64)));
    int groups = (columns + GROUP - 1) / GROUP;
    /* Few tokens wait for memory, which is fastest if it is read in order: block after block. */
    int together_rows = tokens < MOST_TOKENS ? CELL_ROWS : BLOCKS * CELL_ROWS;
    start_sums(codes, stride, columns, tokens, rows, from_row, to_row, sums);
    for (int blocks = from_row; blocks < to_row; blocks += together_rows) {
        for (int chunk = 0; chunk < groups; chunk += CHUNK) {
            int count = groups - chunk < CHUNK ? groups - chunk : CHUNK;
            int column = chunk * GROUP;
            arrange(codes + column, stride, columns - column, tokens, activations);
            for (int row = blocks; row < to_row && row < blocks + together_rows; row += CELL_ROWS) {
                const uint8_t *cells = weights + ((int64_t)(row / CELL_ROWS) * groups + chunk) * REGISTER;
                for (int token = 0; token < tokens; token += MOST_TOKENS) {
                    int together = tokens - token < MOST_TOKENS ? tokens - token : MOST_TOKENS;
                    ADD_TOKENS[together - 1](cells, count, activations + token * ACTIVATION_BYTES, rows, to_row - row,
                                             sums + (int64_t)token * rows + row);
                }
            }
        }
    }
}

TARGET SETUN_PRODUCT(setun_vnni512) {
    (void)negatives;
    (void)panel_rows;
    for (int token = 0; token < tokens; token += PIECE_TOKENS) {
        int count = tokens - token < PIECE_TOKENS ? tokens - token : PIECE_TOKENS;
        multiply(weights, rows, columns, codes + (int64_t)token * stride, stride, count, from_row, to_row,
                 sums + (int64_t)token * rows);
    }
}

#endif
