/*
 * Ternary products in exact integers, for org.setun.kernel.NativeTernaryKernel:
 *
 *     sums[t * rows + r] = sum_c codes[t * stride + c] * trit[r, c]        for rows [from_row, to_row) and all tokens
 *
 * Every product has one signature. The caller has checked all bounds; nothing here allocates, keeps state, or fails.
 *
 *   weights    a whole matrix, laid out as org.setun.tensor.Base3Matrix or CellMatrix says, 64-byte aligned
 *   negatives  [rows], for weights in base 3: how many of a row's codes are negative; unused for cells
 *   rows, columns, panel_rows
 *              of the whole matrix
 *   codes      int8 activations, from the first column of the first token on; as many may be read as are in `stride`
 *   stride     codes from one token to the next, a multiple of 64 and at least `columns`
 *   tokens     1 or more
 *   from_row   a multiple of 128 from the start of its panel, or of 32 for cells
 *   to_row     likewise, or the end of the panel, which may not be exceeded, or of the matrix
 *   sums       of the first token
 */
#ifndef SETUN_KERNELS_H
#define SETUN_KERNELS_H

#include <stdint.h>

/* Raised with every change of a signature, a layout, or the bits of setun_kernels(); NativeLibrary has the same number. */
#define SETUN_ABI 1

#define SETUN_PRODUCT(name)                                                                                            \
    void name(const uint8_t *weights, const int32_t *negatives, int32_t rows, int32_t columns, int32_t panel_rows,     \
              const int8_t *codes, int32_t stride, int32_t tokens, int32_t from_row, int32_t to_row, int32_t *sums)

/* The ABI of this library. */
int32_t setun_abi(void);

/* The products that this library has and this processor can run: bits SETUN_VBMI512 and so on. */
int32_t setun_kernels(void);

enum { SETUN_VBMI512 = 1, SETUN_VNNI512 = 2, SETUN_AVX2 = 4, SETUN_NEON = 8 };

SETUN_PRODUCT(setun_vbmi512);
SETUN_PRODUCT(setun_vnni512);
SETUN_PRODUCT(setun_avx2);
SETUN_PRODUCT(setun_neon);

#endif
