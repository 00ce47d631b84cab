/*
 * Compares the products for cells that this processor can run with the definition, and says so in a line each. Java's tests compare
 * all of them; this is for processors that no JVM runs on here, under an emulator: see CrossCompiledProductsTest.
 */
#include "../../main/c/setun_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef SETUN_PRODUCT((*Product));

enum { CELL_ROWS = 32, GROUP = 8, UNTOUCHED = 0x5ca1ab1e };

static uint64_t state = 1;

/* A random number below `bound`: splitmix64, Steele, Lea and Flood, OOPSLA 2014. */
static int below(int bound) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (int)((z ^ (z >> 31)) % (uint64_t)bound);
}

/*
 * Returns whether a product of this size is exact: of random values or, if `extreme` is 1 or 2, of the smallest activations and
 * weights that are all 1 or all -1. There are activations, too, where columns are padded.
 */
static int exact(Product product, int rows, int columns, int tokens, int extreme) {
    int groups = (columns + GROUP - 1) / GROUP;
    int blocks = (rows + CELL_ROWS - 1) / CELL_ROWS;
    int stride = (columns + 63) / 64 * 64;
    size_t words = (size_t)blocks * groups * CELL_ROWS;
    uint16_t *weights = aligned_alloc(64, words * sizeof *weights);
    int8_t *codes = malloc((size_t)stride * tokens);
    int32_t *sums = malloc(sizeof *sums * rows * tokens);
    for (size_t i = 0; i < words; i++) {
        int left = columns - (int)(i / CELL_ROWS % groups) * GROUP;
        int word = 0;
        for (int k = 0; k < GROUP; k++) {
            int code = extreme ? 2 * (extreme & 1) : below(3);
            word |= (k < left ? code : 1) << (2 * k);
        }
        weights[i] = (uint16_t)word;
    }
    for (int i = 0; i < stride * tokens; i++) {
        codes[i] = (int8_t)(extreme ? -128 : below(256) - 128);
    }
    for (int i = 0; i < rows * tokens; i++) {
        sums[i] = UNTOUCHED;
    }
    /* Two calls, as two threads would make. */
    int half = blocks / 2 * CELL_ROWS;
    if (half > 0) {
        product((const uint8_t *)weights, 0, rows, columns, CELL_ROWS, codes, stride, tokens, 0, half, sums);
    }
    product((const uint8_t *)weights, 0, rows, columns, CELL_ROWS, codes, stride, tokens, half, rows, sums);
    int equal = 1;
    for (int token = 0; token < tokens; token++) {
        for (int row = 0; row < rows; row++) {
            int32_t sum = 0;
            for (int column = 0; column < columns; column++) {
                size_t word = ((size_t)(row / CELL_ROWS) * groups + column / GROUP) * CELL_ROWS + row % CELL_ROWS;
                int trit = (weights[word] >> (2 * (column % GROUP)) & 3) - 1;
                sum += trit * codes[(size_t)token * stride + column];
            }
            equal &= sums[(size_t)token * rows + row] == sum;
        }
    }
    free(weights);
    free(codes);
    free(sums);
    return equal;
}

static int compare(const char *name, Product product) {
    static const int rows[] = {1, 31, 32, 33, 61, 64, 97, 300};
    static const int columns[] = {1, 7, 8, 9, 64, 127, 128, 129, 203, 264, 1021};
    int wrong = 0;
    int count = 0;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            wrong += !exact(product, rows[r], columns[c], 1 + below(20), 0);
            count++;
        }
    }
    for (int tokens = 1; tokens <= 140; tokens++) {
        wrong += !exact(product, 70, 141, tokens, 0);
        count++;
    }
    for (int extreme = 1; extreme <= 2; extreme++) {
        wrong += !exact(product, 96, 2049, 9, extreme);
        count++;
    }
    printf("%s: %d of %d products are exact\n", name, count - wrong, count);
    return wrong;
}

int main(void) {
    int wrong = 0;
    int kernels = setun_kernels();
#if defined(__x86_64__)
    if (kernels & SETUN_VNNI512) wrong += compare("vnni512", setun_vnni512);
    if (kernels & SETUN_AVX2) wrong += compare("avx2", setun_avx2);
#elif defined(__aarch64__)
    if (kernels & SETUN_NEON) wrong += compare("neon", setun_neon);
#endif
    return wrong == 0 && kernels != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
