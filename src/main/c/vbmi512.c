/*
 * Weights in base 3 (org.setun.tensor.Base3Matrix) on AVX-512 with VBMI and VNNI. For few tokens what five weights make of five
 * activations is looked up, as org.setun.kernel.LookupTernaryKernel explains. For more the codes are unpacked, again by looking
 * up, and multiplied: at once for the tokens whose accumulators there are registers for, or by way of a tile for many.
 */
#include "setun_kernels.h"

#if defined(__x86_64__)

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vnni")))
#include "avx512.h"

enum {
    GROUP = 5,            /* columns of a code */
    CHUNK = 40,           /* groups of a chunk */
    VECTOR = 64,          /* rows of a vector, whose codes fill a register */
    BLOCK = 2,            /* vectors of a block */
    TABLE = 256,          /* bytes of a group's table: the low bytes of 128 entries, then their high bytes */
    QUAD = 4,             /* groups whose codes make a 32-bit lane */
    QUARTERS = 4,         /* registers for a vector's rows in such lanes */
    STEP = QUARTERS * 64, /* bytes of a tile for four columns of a vector */
    MOST_TOKENS = 6,      /* that are multiplied together: 24 accumulators */
    LOOKUP_TOKENS = 3,    /* up to which looking up is fastest */
    DIRECT_TOKENS = 12,   /* up to which unpacking again is faster than a tile */
    PREFETCH = 512        /* bytes ahead of the one that is read */
};

/* Trit k of the magnitude m, plus 1: 121 is 11111 in base 3, so adding it makes the digits -1, 0, 1 the digits 0, 1, 2. */
#define DIGIT_0(m) (((m) + 121) % 3)
#define DIGIT_1(m) (((m) + 121) / 3 % 3)
#define DIGIT_2(m) (((m) + 121) / 9 % 3)
#define DIGIT_3(m) (((m) + 121) / 27 % 3)
#define DIGIT_4(m) (((m) + 121) / 81 % 3)

#define TIMES_4(f, m) f(m), f((m) + 1), f((m) + 2), f((m) + 3)
#define TIMES_16(f, m) TIMES_4(f, m), TIMES_4(f, (m) + 4), TIMES_4(f, (m) + 8), TIMES_4(f, (m) + 12)
#define TIMES_64(f, m) TIMES_16(f, m), TIMES_16(f, (m) + 16), TIMES_16(f, (m) + 32), TIMES_16(f, (m) + 48)

static const uint8_t DIGITS[GROUP][128] __attribute__((aligned(64))) = {
    {TIMES_64(DIGIT_0, 0), TIMES_64(DIGIT_0, 64)}, {TIMES_64(DIGIT_1, 0), TIMES_64(DIGIT_1, 64)},
    {TIMES_64(DIGIT_2, 0), TIMES_64(DIGIT_2, 64)}, {TIMES_64(DIGIT_3, 0), TIMES_64(DIGIT_3, 64)},
    {TIMES_64(DIGIT_4, 0), TIMES_64(DIGIT_4, 64)},
};

/*
 * The trits in pairs, for the entries of even and of odd magnitude of either half of a table. vpmaddubsw multiplies pairs of signed
 * trits with unsigned x + 128; the last pair takes away what 128 has added. No sum is larger than 5 * 255, so nothing saturates.
 */
#define PAIR_01(m) DIGIT_0(m) - 1, DIGIT_1(m) - 1
#define PAIR_23(m) DIGIT_2(m) - 1, DIGIT_3(m) - 1
#define PAIR_4(m) DIGIT_4(m) - 1, 5 - DIGIT_0(m) - DIGIT_1(m) - DIGIT_2(m) - DIGIT_3(m) - DIGIT_4(m)
#define EVERY_2ND_4(f, m) f(m), f((m) + 2), f((m) + 4), f((m) + 6)
#define EVERY_2ND(f, m)                                                                                                \
    {EVERY_2ND_4(f, m),        EVERY_2ND_4(f, (m) + 8),  EVERY_2ND_4(f, (m) + 16), EVERY_2ND_4(f, (m) + 24),           \
     EVERY_2ND_4(f, (m) + 32), EVERY_2ND_4(f, (m) + 40), EVERY_2ND_4(f, (m) + 48), EVERY_2ND_4(f, (m) + 56)}

static const int8_t PAIRS[4][3][64] __attribute__((aligned(64))) = {
    {EVERY_2ND(PAIR_01, 0), EVERY_2ND(PAIR_23, 0), EVERY_2ND(PAIR_4, 0)},
    {EVERY_2ND(PAIR_01, 1), EVERY_2ND(PAIR_23, 1), EVERY_2ND(PAIR_4, 1)},
    {EVERY_2ND(PAIR_01, 64), EVERY_2ND(PAIR_23, 64), EVERY_2ND(PAIR_4, 64)},
    {EVERY_2ND(PAIR_01, 65), EVERY_2ND(PAIR_23, 65), EVERY_2ND(PAIR_4, 65)},
};

/* The activations of ten groups, six bytes each: x0 x1, x2 x3, x4 and a zero, which lane 63 is. */
#define SIX(g) 5 * (g), 5 * (g) + 1, 5 * (g) + 2, 5 * (g) + 3, 5 * (g) + 4, 63
static const uint8_t SIXES[64] __attribute__((aligned(64))) = {SIX(0), SIX(1), SIX(2), SIX(3), SIX(4),
                                                               SIX(5), SIX(6), SIX(7), SIX(8), SIX(9)};
enum { SIXES_GROUPS = 10, SIX_BYTES = 6 };

/* The activations of three quads of groups in the order of their unpacked weights: columns k, 5 + k, 10 + k, 15 + k of a quad. */
#define FOUR(c) c, (c) + 5, (c) + 10, (c) + 15
#define FOURS(q) FOUR(20 * (q)), FOUR(20 * (q) + 1), FOUR(20 * (q) + 2), FOUR(20 * (q) + 3), FOUR(20 * (q) + 4)
static const uint8_t FOURS_OF_3[64] __attribute__((aligned(64))) = {FOURS(0), FOURS(1), FOURS(2), 63, 63, 63, 63};

/* The words 0..15, or 16..31, of two registers in turn. */
#define WORDS_4(i) i, 32 + (i), (i) + 1, 33 + (i), (i) + 2, 34 + (i), (i) + 3, 35 + (i)
#define WORDS_16(i) WORDS_4(i), WORDS_4((i) + 4), WORDS_4((i) + 8), WORDS_4((i) + 12)
static const uint16_t LOWER_WORDS[32] __attribute__((aligned(64))) = {WORDS_16(0)};
static const uint16_t UPPER_WORDS[32] __attribute__((aligned(64))) = {WORDS_16(16)};

static const __mmask64 ODD_BYTES = 0xaaaaaaaaaaaaaaaaull;

typedef struct {
    const uint8_t *weights;
    int first_row;
    int vectors;
    int groups;
} Panel;

INLINE Panel panel_of(const uint8_t *weights, int rows, int columns, int panel_rows, int row) {
    int first = row / panel_rows * panel_rows;
    int count = rows - first < panel_rows ? rows - first : panel_rows;
    int groups = (columns + GROUP - 1) / GROUP;
    Panel panel = {weights + (int64_t)first * groups, first, (count + VECTOR - 1) / VECTOR, groups};
    return panel;
}

INLINE int chunk_groups(Panel panel, int chunk) {
    return panel.groups - chunk < CHUNK ? panel.groups - chunk : CHUNK;
}

/* How many vectors the block of row `row` has. */
INLINE int block_vectors(Panel panel, int row) {
    int left = panel.vectors - (row - panel.first_row) / VECTOR;
    return left < BLOCK ? left : BLOCK;
}

/* The weights of the block of row `row` in the chunk that begins with group `chunk`. */
INLINE const uint8_t *block_weights(Panel panel, int chunk, int row) {
    int64_t vector = (row - panel.first_row) / VECTOR;
    return panel.weights + ((int64_t)chunk * panel.vectors + vector * chunk_groups(panel, chunk)) * VECTOR;
}

INLINE __m512i entries(int part, const uint8_t *six) {
    int16_t x[3];
    memcpy(x, six, sizeof x);
    __m512i sum = _mm512_maddubs_epi16(_mm512_set1_epi16(x[0]), load(PAIRS[part][0]));
    sum = _mm512_add_epi16(sum, _mm512_maddubs_epi16(_mm512_set1_epi16(x[1]), load(PAIRS[part][1])));
    return _mm512_add_epi16(sum, _mm512_maddubs_epi16(_mm512_set1_epi16(x[2]), load(PAIRS[part][2])));
}

/* Stores 64 low bytes and 64 high bytes. */
INLINE void fill_half(__m512i even, __m512i odd, uint8_t *table) {
    _mm512_store_si512(table, _mm512_mask_blend_epi8(ODD_BYTES, even, _mm512_slli_epi16(odd, 8)));
    _mm512_store_si512(table + TABLE / 2, _mm512_mask_blend_epi8(ODD_BYTES, _mm512_srli_epi16(even, 8), odd));
}

/* Fills the tables of a chunk's groups. */
NO_INLINE void fill_tables(const int8_t *codes, int columns, int groups, uint8_t *tables) {
    uint8_t sixes[CHUNK / SIXES_GROUPS * REGISTER] __attribute__((aligned(64)));
    for (int group = 0, i = 0; group < groups; group += SIXES_GROUPS, i++) {
        int column = group * GROUP;
        int count = columns - column < SIXES_GROUPS * GROUP ? columns - column : SIXES_GROUPS * GROUP;
        __m512i x = _mm512_permutexvar_epi8(load(SIXES), load_codes(codes + column, count));
        _mm512_store_si512(sixes + REGISTER * i, _mm512_xor_si512(x, _mm512_set1_epi8((char)0x80)));
    }
    for (int group = 0; group < groups; group++) {
        const uint8_t *six = sixes + group / SIXES_GROUPS * REGISTER + group % SIXES_GROUPS * SIX_BYTES;
        fill_half(entries(0, six), entries(1, six), tables);
        fill_half(entries(2, six), entries(3, six), tables + REGISTER);
        tables += TABLE;
    }
}

/* The accumulators of a vector: see LookupTernaryKernel. */
typedef struct {
    Shorts pairs, odd;
    Bytes high;
} LookupSums;

INLINE LookupSums add_codes(LookupSums sums, const uint8_t *weights, const uint8_t *table) {
    _mm_prefetch(weights + PREFETCH, _MM_HINT_T0);
    __m512i code = load(weights);
    __mmask64 negative = _mm512_movepi8_mask(code);
    __m512i ones = _mm512_set1_epi8(-1);
    __m512i low = _mm512_permutex2var_epi8(load(table), code, load(table + 64));
    __m512i high = _mm512_permutex2var_epi8(load(table + 128), code, load(table + 192));
    low = _mm512_mask_sub_epi8(low, negative, ones, low);
    high = _mm512_mask_sub_epi8(high, negative, ones, high);
    sums.pairs += (Shorts)low;
    sums.odd += (Shorts)_mm512_srli_epi16(low, 8);
    sums.high += (Bytes)high;
    return sums;
}

/* Adds 32 sums of 16 bits. */
INLINE void add_32(__m512i narrow, int rows_left, int32_t *sums) {
    add_16(_mm512_cvtepi16_epi32(_mm512_castsi512_si256(narrow)), rows_left, sums);
    add_16(_mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(narrow, 1)), rows_left - 16, sums + 16);
}

INLINE void add_lookup_sums(LookupSums vector, int rows_left, int32_t *sums) {
    __m512i pairs = (__m512i)vector.pairs, odd = (__m512i)vector.odd, high = (__m512i)vector.high;
    __m512i even = _mm512_sub_epi16(pairs, _mm512_slli_epi16(odd, 8));
    add_32(_mm512_add_epi16(even, _mm512_slli_epi16(high, 8)), rows_left, sums);
    high = _mm512_and_si512(high, _mm512_set1_epi16((short)0xff00));
    add_32(_mm512_add_epi16(odd, high), rows_left - 32, sums + 32);
}

/* Adds the products of a chunk of a block of `vectors` vectors, a constant, to the sums of one token. */
INLINE void look_up_block(const int vectors, const uint8_t *weights, int groups, const uint8_t *tables, int rows_left,
                          int32_t *sums) {
    LookupSums first = {{0}, {0}, {0}}, second = first;
    for (int group = 0; group < groups; group++) {
        first = add_codes(first, weights, tables);
        if (vectors > 1) second = add_codes(second, weights + VECTOR, tables);
        weights += vectors * VECTOR;
        tables += TABLE;
    }
    add_lookup_sums(first, rows_left, sums);
    if (vectors > 1) add_lookup_sums(second, rows_left - VECTOR, sums + VECTOR);
}

NO_INLINE void look_up(Panel panel, const int32_t *negatives, int rows, int columns, const int8_t *codes, int stride,
                       int tokens, int from_row, int to_row, int32_t *sums) {
    uint8_t tables[CHUNK * TABLE] __attribute__((aligned(64)));
    for (int token = 0; token < tokens; token++) {
        memcpy(sums + (int64_t)token * rows + from_row, negatives + from_row, (to_row - from_row) * sizeof *sums);
    }
    for (int chunk = 0; chunk < panel.groups; chunk += CHUNK) {
        int groups = chunk_groups(panel, chunk);
        int column = chunk * GROUP;
        for (int token = 0; token < tokens; token++) {
            fill_tables(codes + (int64_t)token * stride + column, columns - column, groups, tables);
            for (int row = from_row; row < to_row; row += BLOCK * VECTOR) {
                const uint8_t *weights = block_weights(panel, chunk, row);
                int32_t *out = sums + (int64_t)token * rows + row;
                if (block_vectors(panel, row) == BLOCK) {
                    look_up_block(BLOCK, weights, groups, tables, to_row - row, out);
                } else {
                    look_up_block(1, weights, groups, tables, to_row - row, out);
                }
            }
        }
    }
}

/* The rows of a vector: 16 lanes each. */
typedef struct {
    __m512i q0, q1, q2, q3;
} Quarters;

typedef struct {
    Sums q0, q1, q2, q3;
} VectorSums;

/*
 * The codes of four groups, so that a lane is a row and its bytes are the groups. The groups lie `skip` bytes apart; those from
 * `groups` on are zeros.
 */
INLINE Quarters quad_of(const uint8_t *weights, int skip, int groups) {
    __m512i zero = _mm512_setzero_si512();
    __m512i a = load(weights);
    __m512i b = groups > 1 ? load(weights + skip) : zero;
    __m512i c = groups > 2 ? load(weights + 2 * skip) : zero;
    __m512i d = groups > 3 ? load(weights + 3 * skip) : zero;
    /* Rows 0..31 of two groups, then rows 32..63. */
    __m512i ab_lower = _mm512_mask_blend_epi8(ODD_BYTES, a, _mm512_slli_epi16(b, 8));
    __m512i cd_lower = _mm512_mask_blend_epi8(ODD_BYTES, c, _mm512_slli_epi16(d, 8));
    __m512i ab_upper = _mm512_mask_blend_epi8(ODD_BYTES, _mm512_srli_epi16(a, 8), b);
    __m512i cd_upper = _mm512_mask_blend_epi8(ODD_BYTES, _mm512_srli_epi16(c, 8), d);
    __m512i lower = load(LOWER_WORDS);
    __m512i upper = load(UPPER_WORDS);
    Quarters quad = {_mm512_permutex2var_epi16(ab_lower, lower, cd_lower),
                     _mm512_permutex2var_epi16(ab_lower, upper, cd_lower),
                     _mm512_permutex2var_epi16(ab_upper, lower, cd_upper),
                     _mm512_permutex2var_epi16(ab_upper, upper, cd_upper)};
    return quad;
}

/* Trit k, plus 1, of each code: 2 minus that of its magnitude where it is negative. */
INLINE __m512i digit_of(__m512i codes, const int k) {
    __m512i digit = _mm512_permutex2var_epi8(load(DIGITS[k]), codes, load(DIGITS[k] + 64));
    return _mm512_mask_sub_epi8(digit, _mm512_movepi8_mask(codes), _mm512_set1_epi8(2), digit);
}

INLINE Quarters digits_of(Quarters quad, const int k) {
    Quarters digits = {digit_of(quad.q0, k), digit_of(quad.q1, k), digit_of(quad.q2, k), digit_of(quad.q3, k)};
    return digits;
}

INLINE VectorSums multiply_token(VectorSums sums, Quarters digits, const uint8_t *activations) {
    __m512i x = four(activations);
    sums.q0 = dot(sums.q0, digits.q0, x);
    sums.q1 = dot(sums.q1, digits.q1, x);
    sums.q2 = dot(sums.q2, digits.q2, x);
    sums.q3 = dot(sums.q3, digits.q3, x);
    return sums;
}

INLINE void add_vector(VectorSums vector, int rows_left, int32_t *sums) {
    add_16((__m512i)vector.q0, rows_left, sums);
    add_16((__m512i)vector.q1, rows_left - 16, sums + 16);
    add_16((__m512i)vector.q2, rows_left - 32, sums + 32);
    add_16((__m512i)vector.q3, rows_left - 48, sums + 48);
}

/* The sums of a vector and up to six tokens. */
typedef struct {
    VectorSums t0, t1, t2, t3, t4, t5;
} TokenSums;

/* Multiplies four columns with `tokens` tokens, a constant. */
INLINE TokenSums multiply_tokens(const int tokens, TokenSums sums, Quarters digits, const uint8_t *activations) {
    sums.t0 = multiply_token(sums.t0, digits, activations);
    if (tokens > 1) sums.t1 = multiply_token(sums.t1, digits, activations + 1 * ACTIVATION_BYTES);
    if (tokens > 2) sums.t2 = multiply_token(sums.t2, digits, activations + 2 * ACTIVATION_BYTES);
    if (tokens > 3) sums.t3 = multiply_token(sums.t3, digits, activations + 3 * ACTIVATION_BYTES);
    if (tokens > 4) sums.t4 = multiply_token(sums.t4, digits, activations + 4 * ACTIVATION_BYTES);
    if (tokens > 5) sums.t5 = multiply_token(sums.t5, digits, activations + 5 * ACTIVATION_BYTES);
    return sums;
}

INLINE void add_tokens(const int tokens, TokenSums vector, int rows, int rows_left, int32_t *sums) {
    int64_t next = rows;
    add_vector(vector.t0, rows_left, sums);
    if (tokens > 1) add_vector(vector.t1, rows_left, sums + 1 * next);
    if (tokens > 2) add_vector(vector.t2, rows_left, sums + 2 * next);
    if (tokens > 3) add_vector(vector.t3, rows_left, sums + 3 * next);
    if (tokens > 4) add_vector(vector.t4, rows_left, sums + 4 * next);
    if (tokens > 5) add_vector(vector.t5, rows_left, sums + 5 * next);
}

/*
 * Where a chunk of a vector's weights lies: from group to group `skip` bytes. `next` is what will be read after it: far away, so
 * that the processor does not fetch it by itself.
 */
typedef struct {
    const uint8_t *weights;
    const uint8_t *next;
    int skip;
    int groups;
} Codes;

INLINE Codes next_quad(Codes codes) {
#pragma GCC unroll 4
    for (int i = 0; i < QUAD; i++) {
        _mm_prefetch(codes.next, _MM_HINT_T1);
        codes.next += VECTOR;
    }
    codes.weights += QUAD * codes.skip;
    codes.groups -= QUAD;
    return codes;
}

/* Adds the products of a chunk of a vector, unpacking it. */
INLINE void multiply_codes(const int tokens, Codes codes, const uint8_t *activations, int rows, int rows_left,
                           int32_t *sums) {
    TokenSums vector;
    memset(&vector, 0, sizeof vector);
    for (; codes.groups > 0; codes = next_quad(codes)) {
        Quarters quad = quad_of(codes.weights, codes.skip, codes.groups);
#pragma GCC unroll 5
        for (int k = 0; k < GROUP; k++) {
            vector = multiply_tokens(tokens, vector, digits_of(quad, k), activations);
            activations += 4;
        }
    }
    add_tokens(tokens, vector, rows, rows_left, sums);
}

/* Unpacks a chunk of a vector to a tile. */
NO_INLINE void unpack(Codes codes, uint8_t *tile) {
    for (; codes.groups > 0; codes = next_quad(codes)) {
        Quarters quad = quad_of(codes.weights, codes.skip, codes.groups);
#pragma GCC unroll 5
        for (int k = 0; k < GROUP; k++) {
            Quarters digits = digits_of(quad, k);
            _mm512_store_si512(tile, digits.q0);
            _mm512_store_si512(tile + 64, digits.q1);
            _mm512_store_si512(tile + 128, digits.q2);
            _mm512_store_si512(tile + 192, digits.q3);
            tile += STEP;
        }
    }
}

/* Adds the products of a tile. */
INLINE void multiply_tile(const int tokens, const uint8_t *tile, int steps, const uint8_t *activations, int rows,
                          int rows_left, int32_t *sums) {
    TokenSums vector;
    memset(&vector, 0, sizeof vector);
    for (int step = 0; step < steps; step++) {
        Quarters digits = {load(tile), load(tile + 64), load(tile + 128), load(tile + 192)};
        vector = multiply_tokens(tokens, vector, digits, activations);
        tile += STEP;
        activations += 4;
    }
    add_tokens(tokens, vector, rows, rows_left, sums);
}

#define MULTIPLY(n)                                                                                                    \
    NO_INLINE void multiply_codes_##n(Codes codes, const uint8_t *activations, int rows, int rows_left,                \
                                      int32_t *sums) {                                                                 \
        multiply_codes(n, codes, activations, rows, rows_left, sums);                                                  \
    }                                                                                                                  \
    NO_INLINE void multiply_tile_##n(const uint8_t *tile, int steps, const uint8_t *activations, int rows,             \
                                     int rows_left, int32_t *sums) {                                                   \
        multiply_tile(n, tile, steps, activations, rows, rows_left, sums);                                             \
    }

MULTIPLY(1)
MULTIPLY(2)
MULTIPLY(3)
MULTIPLY(4)
MULTIPLY(5)
MULTIPLY(6)

typedef void (*MultiplyCodes)(Codes, const uint8_t *, int, int, int32_t *);
typedef void (*MultiplyTile)(const uint8_t *, int, const uint8_t *, int, int, int32_t *);

static const MultiplyCodes MULTIPLY_CODES[MOST_TOKENS] = {multiply_codes_1, multiply_codes_2, multiply_codes_3,
                                                          multiply_codes_4, multiply_codes_5, multiply_codes_6};
static const MultiplyTile MULTIPLY_TILE[MOST_TOKENS] = {multiply_tile_1, multiply_tile_2, multiply_tile_3,
                                                        multiply_tile_4, multiply_tile_5, multiply_tile_6};

/* Puts a chunk's activations in the order of the unpacked weights. */
INLINE void arrange(const int8_t *codes, int stride, int columns, int groups, int tokens, uint8_t *activations) {
    __m512i order = load(FOURS_OF_3);
    for (int token = 0; token < tokens; token++) {
        const int8_t *from = codes + (int64_t)token * stride;
        uint8_t *to = activations + token * ACTIVATION_BYTES;
        for (int column = 0; column < groups * GROUP; column += 3 * QUAD * GROUP) {
            __m512i x = load_codes(from + column, columns - column);
            _mm512_storeu_si512(to + column, _mm512_permutexvar_epi8(order, x));
        }
    }
}

NO_INLINE void multiply(Panel panel, int rows, int columns, const int8_t *codes, int stride, int tokens, int from_row,
                        int to_row, int32_t *sums) {
    uint8_t tile[CHUNK * GROUP * VECTOR] __attribute__((aligned(64)));
    uint8_t activations[PIECE_TOKENS * ACTIVATION_BYTES] __attribute__((aligned(64)));
    /* As even as can be: 7 tokens as 4 and 3. */
    int parts = (tokens + MOST_TOKENS - 1) / MOST_TOKENS;
    start_sums(codes, stride, columns, tokens, rows, from_row, to_row, sums);
    for (int block = from_row; block < to_row; block += BLOCK * VECTOR) {
        int next_block = block + BLOCK * VECTOR < to_row ? block + BLOCK * VECTOR : block;
        int vectors = block_vectors(panel, block);
        for (int chunk = 0; chunk < panel.groups; chunk += CHUNK) {
            int groups = chunk_groups(panel, chunk);
            int column = chunk * GROUP;
            const uint8_t *next = chunk + CHUNK < panel.groups ? block_weights(panel, chunk + CHUNK, block)
                                                               : block_weights(panel, 0, next_block);
            arrange(codes + column, stride, columns - column, groups, tokens, activations);
            for (int v = 0; v < vectors; v++) {
                int row = block + v * VECTOR;
                Codes weights = {block_weights(panel, chunk, block) + v * VECTOR, next + v * groups * VECTOR,
                                 vectors * VECTOR, groups};
                if (tokens > DIRECT_TOKENS) {
                    unpack(weights, tile);
                }
                for (int part = 0; part < parts; part++) {
                    int token = tokens * part / parts;
                    int count = tokens * (part + 1) / parts - token;
                    const uint8_t *x = activations + token * ACTIVATION_BYTES;
                    int32_t *out = sums + (int64_t)token * rows + row;
                    if (tokens > DIRECT_TOKENS) {
                        int steps = (groups + QUAD - 1) / QUAD * GROUP;
                        MULTIPLY_TILE[count - 1](tile, steps, x, rows, to_row - row, out);
                    } else {
                        MULTIPLY_CODES[count - 1](weights, x, rows, to_row - row, out);
                    }
                }
            }
        }
    }
}

TARGET SETUN_PRODUCT(setun_vbmi512) {
    Panel panel = panel_of(weights, rows, columns, panel_rows, from_row);
    if (tokens <= LOOKUP_TOKENS) {
        look_up(panel, negatives, rows, columns, codes, stride, tokens, from_row, to_row, sums);
        return;
    }
    for (int token = 0; token < tokens; token += PIECE_TOKENS) {
        int count = tokens - token < PIECE_TOKENS ? tokens - token : PIECE_TOKENS;
        multiply(panel, rows, columns, codes + (int64_t)token * stride, stride, count, from_row, to_row,
                 sums + (int64_t)token * rows);
    }
}

#endif
