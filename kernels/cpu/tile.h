/* tile.h - products of small matrices that lie in cache, in registers.
 *
 * Operands are packed from f32 or bf16 into units of 32 bits: a float, or where the machine
 * multiplies bf16 (pair = 1) two bf16 that are neighbours along the summed index k.  Elsewhere bf16
 * is a float that was rounded, so the result means the same.  An operand has one of three forms, of
 * the matrix x [rows, cols]:
 *
 *   plain   unit [i][p] of row i, k along the columns: the left operand x
 *   stacked unit [p][j] of column j, k along the rows: the right operand x, the left operand x'
 *   turned  unit [p][i] of row i, k along the columns: the right operand x'
 *
 * In f32 the first two are x itself.  Sides that are not a multiple of what the registers
 * take are padded with zeros. */
#pragma once
#include "kernels/cpu/numbers.h"
#include "kernels/ops.h"
#include <stddef.h>

/* A block of registers has ROWS rows of at most VECS vectors. */
enum { ROWS = LANES == 16 ? 8 : 4, VECS = LANES == 4 ? 2 : 3 };
enum {
    AHEAD = 8,              /* units of the right operand fetched: it is in the second cache */
    ROWS_AHEAD = 24,        /* rows fetched ahead of packing */
};
#ifdef __AVX512BF16__
enum { PAIRS = 1 };
#else
enum { PAIRS = 0 };
#endif
#ifdef __AMX_BF16__
enum { TILES = 1 };
#else
enum { TILES = 0 };
#endif

#if defined __clang__
#define UNROLL _Pragma("unroll")
#define TWICE _Pragma("unroll 2")
#else
#define UNROLL _Pragma("GCC unroll 16")
#define TWICE _Pragma("GCC unroll 2")
#endif

/* Whether operands of that precision are pairs. */
INLINE int is_pair(enum precision p) { return PAIRS && p == PRECISION_BF16; }

/* Numbers in a unit. */
INLINE int in_unit(const enum precision p) { return is_pair(p) ? 2 : 1; }

/* Whether they are multiplied by the tile unit (AMX): then left operands are plain, and the depth
 * in units is padded to a multiple of 16. */
INLINE int is_tile(enum precision p) { return TILES && p == PRECISION_BF16; }
INLINE int depth_step(enum precision p) { return is_tile(p) ? 16 : 1; }
/* Rows of a block. */
INLINE int block_rows(enum precision p) { return is_tile(p) ? 32 : ROWS; }

INLINE int round_up(int n, int to) { return (n + to - 1) / to * to; }

INLINE vec multiply_add(const int pair, vec sum, float a, vec b)
{
#ifdef __AVX512BF16__
    if (pair)
        return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_ps(a), (__m512bh)b);
#endif
    (void)pair;
    return sum + a * b;
}

INLINE void vector_block(const int vecs, const int pair, int k, const float *a, ptrdiff_t ai,
                         ptrdiff_t ak, const float *b, ptrdiff_t ldb, const float *first,
                         ptrdiff_t ld_first, float *c, ptrdiff_t ldc)
{
    vec sum[ROWS][VECS];
    UNROLL
    for (int r = 0; r < ROWS; r++)
        UNROLL
        for (int v = 0; v < vecs; v++) {
            __builtin_prefetch(first + r * ld_first + v * LANES);
            sum[r][v] = splat(0);
        }
    TWICE
    for (int p = 0; p < k; p++) {
        vec bv[VECS];
        UNROLL
        for (int v = 0; v < vecs; v++)
            __builtin_prefetch(b + (p + AHEAD) * ldb + v * LANES);
        UNROLL
        for (int v = 0; v < vecs; v++)
            bv[v] = *(const vec *)(b + p * ldb + v * LANES);
        UNROLL
        for (int r = 0; r < ROWS; r++)
            UNROLL
            for (int v = 0; v < vecs; v++)
                sum[r][v] = multiply_add(pair, sum[r][v], a[r * ai + p * ak], bv[v]);
    }
    UNROLL
    for (int r = 0; r < ROWS; r++)
        UNROLL
        for (int v = 0; v < vecs; v++)
            *(vec *)(c + r * ldc + v * LANES) = sum[r][v]
                                              + *(const vec *)(first + r * ld_first + v * LANES);
}

static const float tile_zeros[VECS * LANES] __attribute__((aligned(64)));

#ifdef __AMX_BF16__
/* Tiles 0 to 3 are sums of 16 x 16 floats, 4 and 5 of the left operand, 6 and 7 of the right; of
 * the sums only the upper half unless they are `high`, and the left unless they are `wide`. */
enum { TILE_SIDE = 16 };

INLINE void load_sums(int high, int wide, const float *from, ptrdiff_t ld)
{
    if (from == tile_zeros) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        return;
    }
    _tile_loadd(0, from, 4 * ld);
    if (wide)
        _tile_loadd(1, from + TILE_SIDE, 4 * ld);
    if (high)
        _tile_loadd(2, from + TILE_SIDE * ld, 4 * ld);
    if (wide && high)
        _tile_loadd(3, from + TILE_SIDE * ld + TILE_SIDE, 4 * ld);
}

INLINE void store_sums(int high, int wide, float *to, ptrdiff_t ld)
{
    _tile_stored(0, to, 4 * ld);
    if (wide)
        _tile_stored(1, to + TILE_SIDE, 4 * ld);
    if (high)
        _tile_stored(2, to + TILE_SIDE * ld, 4 * ld);
    if (wide && high)
        _tile_stored(3, to + TILE_SIDE * ld + TILE_SIDE, 4 * ld);
}

INLINE void tile_block(int high, int wide, int k, const float *a, ptrdiff_t ai, const float *b,
                       ptrdiff_t ldb, const float *first, ptrdiff_t ld_first, float *c,
                       ptrdiff_t ldc)
{
    load_sums(high, wide, first, ld_first);
    for (int p = 0; p < k; p += TILE_SIDE) {
        _tile_loadd(4, a + p, 4 * ai);
        _tile_loadd(6, b + p * ldb, 4 * ldb);
        _tile_dpbf16ps(0, 4, 6);
        if (wide) {
            _tile_loadd(7, b + p * ldb + TILE_SIDE, 4 * ldb);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (high) {
            _tile_loadd(5, a + TILE_SIDE * ai + p, 4 * ai);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (wide && high)
            _tile_dpbf16ps(3, 5, 7);
    }
    store_sums(high, wide, c, ldc);
}

/* Sets up the calling thread's tiles, all 16 rows of 64 bytes, until other code does. */
static inline void start_tiles(enum precision p)
{
    static const struct { uint8_t palette, zero[15]; uint16_t bytes[16]; uint8_t rows[16]; } all = {
        .palette = 1, .bytes = {64, 64, 64, 64, 64, 64, 64, 64},
        .rows = {16, 16, 16, 16, 16, 16, 16, 16},
    };
    if (is_tile(p))
        _tile_loadconfig(&all);
}
#else
INLINE void tile_block(int high, int wide, int k, const float *a, ptrdiff_t ai, const float *b,
                       ptrdiff_t ldb, const float *first, ptrdiff_t ld_first, float *c,
                       ptrdiff_t ldc)
{
    (void)high, (void)wide, (void)k, (void)a, (void)ai, (void)b, (void)ldb, (void)first;
    (void)ld_first, (void)c, (void)ldc;
}
INLINE void start_tiles(enum precision p) { (void)p; }
#endif

/* c [m, n] = a b over k units, or with `add` added to c: unit (i, p) of a at a[i * ai + p * ak],
 * (p, j) of b at b[p * ldb + j]; m a multiple of ROWS, with tiles of LANES; n of LANES. */
INLINE void tile_mul(const enum precision p, int m, int n, int k, const float *a, ptrdiff_t ai,
                     ptrdiff_t ak, const float *b, ptrdiff_t ldb, float *c, ptrdiff_t ldc, int add)
{
    const ptrdiff_t ld_first = add ? ldc : 0;
    for (int j = 0; j < n; j += 2 * LANES)
        for (int i = 0; i < m; i += block_rows(p)) {
            float *to = c + i * ldc + j;
            const float *first = add ? to : tile_zeros, *left = a + i * ai;
            const int wide = j + LANES < n;
            if (is_tile(p))
                tile_block(i + LANES < m, wide, k, left, ai, b + j, ldb, first, ld_first, to, ldc);
            else if (wide)
                vector_block(2, is_pair(p), k, left, ai, ak, b + j, ldb, first, ld_first, to, ldc);
            else
                vector_block(1, is_pair(p), k, left, ai, ak, b + j, ldb, first, ld_first, to, ldc);
        }
}

INLINE struct numbers floats_at(const float *x, ptrdiff_t ld)
{
    return (struct numbers){(void *)(uintptr_t)x, ld, 0};
}

/* Whether it is, row by row, units of pairs as they are multiplied. */
INLINE int is_paired(struct numbers x)
{
    return PAIRS && x.narrow && x.ld % 2 == 0 && (uintptr_t)x.at % sizeof(float) == 0;
}

/* Two numbers as one unit, the first in the low half. */
INLINE float pair_of(float first, float second)
{
    return float_of((uint32_t)bf16_narrow(second) << 16 | bf16_narrow(first));
}

#ifdef __AVX512BF16__
/* 16 units from 16 numbers and their 16 neighbours in a row; from 16 above 16. */
INLINE vec pairs_along(vec left, vec right)
{
    return (vec)_mm512_cvtne2ps_pbh((__m512)right, (__m512)left);
}

INLINE vec pairs_across(vec low, vec high)
{
    const __m512i zip = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9,
        24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return (vec)_mm512_permutexvar_epi16(zip, (__m512i)_mm512_cvtne2ps_pbh((__m512)high,
                                                                           (__m512)low));
}

INLINE void zip_rows(const uint16_t *low, const uint16_t *high, float *out)
{
    const __m512i l = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)low));
    const __m512i h = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)high));
    _mm512_storeu_si512(out, _mm512_or_si512(l, _mm512_slli_epi32(h, 16)));
}
#else
INLINE vec pairs_along(vec left, vec right) { return left + right; }
INLINE vec pairs_across(vec low, vec high) { return low + high; }
INLINE void zip_rows(const uint16_t *low, const uint16_t *high, float *out)
{
    (void)low, (void)high, (void)out;
}
#endif

/* Fetches a row that is packed soon: short rows far apart are not foreseen by the machine. */
INLINE void fetch_row(struct numbers x, ptrdiff_t row, int cols)
{
    const char *at = numbers_from(x, row, 0).at;
    for (int e = 0; e < cols && cols <= VECS * LANES; e += x.narrow ? 32 : 16)
        __builtin_prefetch(at + e * (x.narrow ? 2 : 4));
}

/* A row of n numbers in bf16 as units, in plain form. */
INLINE void pack_narrow_row(const enum precision p, const uint16_t *restrict row, int n,
                            float *restrict to)
{
    if (is_pair(p))
        memcpy(to, row, (size_t)(n / 2) * sizeof *to);
    if (is_pair(p) && n % 2)
        to[n / 2] = float_of(row[n - 1]);
    for (int j = 0; !is_pair(p) && j < n; j++)
        to[j] = bf16_widen(row[j]);
}

/* x [rows, cols] in plain form: out [rows_out][ld_out], padded to `wide` units. */
INLINE void pack_plain(const enum precision p, struct numbers x, int rows, int cols,
                       float *restrict out, int ld_out, int wide, int rows_out)
{
    const int whole = is_pair(p) ? cols / 2 : cols;
    for (int i = 0; i < rows; i++) {
        const float *restrict row = numbers_from(x, i, 0).at;
        float *restrict to = out + (ptrdiff_t)i * ld_out;
        int j = x.narrow ? whole : 0;
        fetch_row(x, i + ROWS_AHEAD, cols);
        if (x.narrow)
            pack_narrow_row(p, (const uint16_t *)(const void *)row, cols, to);
        for (; is_pair(p) && j + 16 <= whole; j += 16)
            store(to + j, pairs_along(load(row + 2 * j), load(row + 2 * j + LANES)));
        for (; p == PRECISION_F32 && j + LANES <= whole; j += LANES)
            store(to + j, load(row + j));
        for (; j < whole; j++)
            to[j] = is_pair(p) ? pair_of(row[2 * j], row[2 * j + 1])
                  : p == PRECISION_BF16 ? bf16_round(row[j]) : row[j];
        if (is_pair(p) && cols % 2 && !x.narrow)
            to[whole] = pair_of(row[cols - 1], 0);
        for (j = is_pair(p) ? (cols + 1) / 2 : cols; j < wide; j++)
            to[j] = 0;
    }
    for (int i = rows; i < rows_out; i++)
        for (int j = 0; j < wide; j++)
            out[(ptrdiff_t)i * ld_out + j] = 0;
}

/* Two rows of n numbers, the second NULL for zeros, as a row of pairs. */
INLINE void stack_rows(const float *restrict low, const float *restrict high, int n,
                       float *restrict to)
{
    int j = 0;
    for (; high && j + 16 <= n; j += 16)
        store(to + j, pairs_across(load(low + j), load(high + j)));
    for (; j < n; j++)
        to[j] = pair_of(low[j], high ? high[j] : 0);
}

INLINE void stack_narrow_rows(const uint16_t *restrict low, const uint16_t *restrict high, int n,
                              float *restrict to)
{
    int j = 0;
    for (; high && j + 16 <= n; j += 16)
        zip_rows(low + j, high + j, to + j);
    for (; j < n; j++)
        to[j] = float_of((uint32_t)(high ? high[j] : 0) << 16 | low[j]);
}

/* x [rows, cols] in stacked form: out [units of rows_out][ld_out], padded. */
INLINE void pack_stacked(const enum precision p, struct numbers x, int rows, int cols,
                         float *restrict out, int ld_out, int rows_out)
{
    if (!is_pair(p)) {
        pack_plain(p, x, rows, cols, out, ld_out, ld_out, rows_out);
        return;
    }
    for (int i = 0; i < rows_out; i += 2) {
        const void *low = numbers_from(x, i, 0).at;
        const void *high = i + 1 < rows ? numbers_from(x, i + 1, 0).at : NULL;
        float *restrict to = out + (ptrdiff_t)(i / 2) * ld_out;
        const int n = i < rows ? cols : 0;
        fetch_row(x, i + ROWS_AHEAD, cols);
        fetch_row(x, i + ROWS_AHEAD + 1, cols);
        if (x.narrow)
            stack_narrow_rows(low, high, n, to);
        else
            stack_rows(low, high, n, to);
        for (int j = n; j < ld_out; j++)
            to[j] = 0;
    }
}

#ifdef __AVX512F__
/* out[j][i] = in[i][j] for 16 x 16 units: bit by bit, row and column numbers change places. */
INLINE void turn_block(const float *in, ptrdiff_t ld, float *out, ptrdiff_t ld_out)
{
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512 x[LANES];
    UNROLL
    for (int i = 0; i < LANES; i++) {
        x[i] = _mm512_loadu_ps(in + i * ld);
        __builtin_prefetch(in + i * ld + 4 * LANES);
    }
    UNROLL
    for (int s = 1; s < LANES; s *= 2) {
        const __mmask16 odd = _mm512_test_epi32_mask(lane, _mm512_set1_epi32(s));
        const __m512i low = _mm512_mask_add_epi32(lane, odd, lane, _mm512_set1_epi32(16 - s));
        const __m512i high = _mm512_mask_mov_epi32(_mm512_add_epi32(lane, _mm512_set1_epi32(s)),
                                                   odd, _mm512_add_epi32(lane,
                                                   _mm512_set1_epi32(16)));
        UNROLL
        for (int i = 0; i < LANES; i++)
            if (!(i & s)) {
                const __m512 a = x[i], b = x[i + s];
                x[i] = _mm512_permutex2var_ps(a, low, b);
                x[i + s] = _mm512_permutex2var_ps(a, high, b);
            }
    }
    UNROLL
    for (int i = 0; i < LANES; i++)
        _mm512_storeu_ps(out + i * ld_out, x[i]);
}
#else
INLINE void turn_block(const float *in, ptrdiff_t ld, float *out, ptrdiff_t ld_out)
{
    for (int j = 0; j < LANES; j++)
        for (int i = 0; i < LANES; i++)
            out[j * ld_out + i] = in[i * ld + j];
}
#endif

/* out [cols][rows] = in' of units, in [rows][cols]; both sides multiples of LANES. */
INLINE void turn(const float *in, ptrdiff_t ld, int rows, int cols, float *out, ptrdiff_t ld_out)
{
    for (int i = 0; i < rows; i += LANES)
        for (int j = 0; j < cols; j += LANES)
            turn_block(in + i * ld + j, ld, out + j * ld_out + i, ld_out);
}
