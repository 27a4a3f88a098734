/* product.c - matrix products: own blocks of registers, or the library where it is faster.
 *
 * The right operand is packed by all threads, DEEP units of k and ACROSS columns at a time, in
 * panels as wide as a block; then each thread packs a few rows of the left one and multiplies.
 * The order in which an element is summed does not depend on the threads. */
#include "base/base.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/tile.h"
#include "kernels/matmul.h"
#include "kernels/scratch.h"

enum { DEEP = 192, ACROSS = 1536, DOWN = 64, PANEL = 2 * LANES, FEW = 4 };

/* Part [row.., col..] of a product being summed. */
struct part {
    const struct matmul *q;
    int from, units;        /* of k, in units */
    int col, cols;
};

/* Panel of the right operand, [units][PANEL]: columns col.. of the product. */
INLINE void pack_right(const enum precision p, const struct part *s, int col, float *out)
{
    const struct matmul *q = s->q;
    const int u = is_pair(p) ? 2 : 1, from = s->from * u, deep = min_int(s->units * u, q->k - from);
    const int have = min_int(PANEL, q->n - col), wide = round_up(s->units, LANES);
    const ptrdiff_t ld = q->b.ld;
    const float *b = q->b.data;

    if (!q->b.turned) {
        pack_stacked(p, b + from * ld + col, ld, deep, have, out, PANEL, s->units * u);
        return;
    }
    float rows[PANEL * (DEEP + LANES)], turned[(DEEP + LANES) * PANEL];
    pack_plain(p, b + col * ld + from, ld, have, deep, rows, wide, PANEL);
    turn(rows, wide, PANEL, wide, wide == s->units ? out : turned, PANEL);
    for (int i = 0; wide != s->units && i < s->units * PANEL; i++)
        out[i] = turned[i];
}

/* Rows [row, row + have) of the product: the left operand packed, then block by block; those at
 * the edge go through a small one of their own. */
INLINE void multiply_rows(const enum precision p, const struct part *s, int row, int have,
                          const float *right)
{
    const struct matmul *q = s->q;
    const int u = is_pair(p) ? 2 : 1, from = s->from * u, deep = min_int(s->units * u, q->k - from);
    const float *a = q->a.data;
    const ptrdiff_t ld = q->a.ld, ai = q->a.turned ? 1 : DEEP, ak = q->a.turned ? DOWN : 1;
    float left[DOWN * DEEP], edge[ROWS * PANEL] = {0};

    if (q->a.turned)
        pack_stacked(p, a + from * ld + row, ld, deep, have, left, DOWN, s->units * u);
    else
        pack_plain(p, a + row * ld + from, ld, have, deep, left, DEEP, round_up(have, ROWS));
    const int add = q->add || s->from > 0;
    for (int j = 0; j < s->cols; j += PANEL)
        for (int i = 0; i < have; i += ROWS) {
            const int m = min_int(ROWS, have - i), n = min_int(PANEL, s->cols - j);
            const float *panel = right + (ptrdiff_t)j * s->units, *rows = left + i * ai;
            float *c = q->c + (ptrdiff_t)(row + i) * q->ldc + s->col + j;
            const float *first = add ? c : q->bias ? q->bias + s->col + j : tile_zeros;
            const ptrdiff_t ld_first = add ? q->ldc : 0;
            if (m == ROWS && n == PANEL) {
                block(2, is_pair(p), s->units, rows, ai, ak, panel, PANEL, first, ld_first, c,
                      q->ldc);
                continue;
            }
            block(2, is_pair(p), s->units, rows, ai, ak, panel, PANEL, tile_zeros, 0, edge, PANEL);
            for (int r = 0; r < m; r++)
                for (int e = 0; e < n; e++)
                    c[r * q->ldc + e] = first[r * ld_first + e] + edge[r * PANEL + e];
        }
}

INLINE void multiply(const enum precision p, const struct matmul *q)
{
    const int u = is_pair(p) ? 2 : 1, k = (q->k + u - 1) / u;
    float *right = scratch(SCRATCH_RIGHT, (size_t)DEEP * (ACROSS + PANEL));

    #pragma omp parallel if ((size_t)q->m * (size_t)q->n * (size_t)q->k > 16 * PARALLEL)
    for (int col = 0; col < q->n; col += ACROSS)
        for (int from = 0; from < k; from += DEEP) {
            const struct part s = {.q = q, .from = from, .units = min_int(DEEP, k - from),
                                   .col = col, .cols = min_int(ACROSS, q->n - col)};
            #pragma omp for
            for (int j = 0; j < s.cols; j += PANEL)
                pack_right(p, &s, col + j, right + (ptrdiff_t)j * s.units);
            #pragma omp for
            for (int row = 0; row < q->m; row += DOWN)
                multiply_rows(p, &s, row, min_int(DOWN, q->m - row), right);
        }
}

/* A few rows times a matrix that is read once (generation): each column is a dot product. */
INLINE void multiply_few(const enum precision p, const struct matmul *q)
{
    const int k = q->k, whole = k - k % LANES;
    #pragma omp parallel for if ((size_t)q->n * (size_t)k > PARALLEL)
    for (int j = 0; j < q->n; j++)
        for (int i = 0; i < q->m; i++) {
            const float *a = (const float *)q->a.data + (ptrdiff_t)i * q->a.ld;
            const float *b = (const float *)q->b.data + (ptrdiff_t)j * q->b.ld;
            float *c = q->c + (ptrdiff_t)i * q->ldc + j;
            vec sums[4] = {{0}};
            for (int e = 0; e < whole; e += LANES)
                sums[e / LANES % 4] += rounded(p, load(a + e)) * rounded(p, load(b + e));
            if (whole < k)
                sums[0] += rounded(p, load_part(a + whole, k - whole, 0))
                         * rounded(p, load_part(b + whole, k - whole, 0));
            *c = (q->add ? *c : q->bias ? q->bias[j] : 0)
               + sum_of((sums[0] + sums[1]) + (sums[2] + sums[3]));
        }
}

/* [rows, cols] of an operand in 16 bits, packed. */
static struct matmul_in round_operand(const struct matmul_in *x, int rows, int cols,
                                      enum scratch_slot slot)
{
    const int r = x->turned ? cols : rows, c = x->turned ? rows : cols;
    uint16_t *out = (void *)scratch(slot, ((size_t)r * (size_t)c + 1) / 2);
    #pragma omp parallel for if ((size_t)r * (size_t)c > PARALLEL)
    for (int i = 0; i < r; i++)
        for (int j = 0; j < c; j++)
            out[(size_t)i * (size_t)c + (size_t)j] =
                (uint16_t)bf16_bits(((const float *)x->data)[(ptrdiff_t)i * x->ld + j]);
    return (struct matmul_in){out, c, x->turned};
}

void KERNEL(product)(const struct matmul *q)
{
    const int bf16 = q->precision == PRECISION_BF16;
    if (q->m <= FEW && q->b.turned && !q->a.turned) {
        if (bf16)
            multiply_few(PRECISION_BF16, q);
        else
            multiply_few(PRECISION_F32, q);
        return;
    }
    if (LANES > 4 && matmul_wins(q)) {      /* the lowest level stays the plain path */
        struct matmul to = *q;
        if (bf16) {
            to.a = round_operand(&q->a, q->m, q->k, SCRATCH_LEFT);
            to.b = round_operand(&q->b, q->k, q->n, SCRATCH_RIGHT);
        }
        if (matmul_run(&to))
            return;
    }
    if (bf16)
        multiply(PRECISION_BF16, q);
    else
        multiply(PRECISION_F32, q);
}
