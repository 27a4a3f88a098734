/* few.c - a few rows times a matrix that is read once, as generation needs it: column j of the
 * result is dot products with row j of the weights, which come from memory at its bandwidth. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/tile.h"
#include "kernels/scratch.h"

/* How the weights lie: in f32, to be taken as they are or rounded to bf16; or in bf16. */
enum form { PLAIN, TO_ROUND, HALVES };

enum { SUMS = 4 };          /* vectors that are summed side by side */
enum { FETCHED = 1024 };    /* floats that are asked for from memory before they are read */

/* Products of a vector of weights, in halves of two, whose left factors are `apart`: those at
 * even places, then those at odd ones. */
INLINE vec products(const enum form f, const float *a, int apart, const float *b)
{
    const vec w = load(b);
    __builtin_prefetch(b + FETCHED, 0, 2);
    if (f == HALVES)
        return load(a) * (vec)((ivec)w << 16)
             + load(a + apart) * (vec)((ivec)w & (int32_t)0xffff0000);
    return load(a) * rounded(f == TO_ROUND, w);
}

/* Of n units: numbers, or halves of two. */
INLINE float dot(const enum form f, const float *a, const float *b, int n)
{
    vec sums[SUMS] = {{0}};
    int e = 0;
    for (; e + SUMS * LANES <= n; e += SUMS * LANES)
        UNROLL
        for (int i = 0; i < SUMS; i++)
            sums[i] += products(f, a + e + i * LANES, n, b + e + i * LANES);
    for (; e + LANES <= n; e += LANES)
        sums[0] += products(f, a + e, n, b + e);
    if (e < n)                      /* not with halves */
        sums[0] += load_part(a + e, n - e, 0) * rounded(f == TO_ROUND, load_part(b + e, n - e, 0));
    return sum_of((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/* A row of the left operand as products() takes it. */
static void lay_out(const enum form f, const float *a, int k, int units, float *restrict out)
{
    for (int e = 0; f != HALVES && e < k; e++)
        out[e] = f == PLAIN ? a[e] : bf16_round(a[e]);
    if (f != HALVES)
        return;
    for (int e = 0; e < 2 * units; e++)
        out[e] = 0;
    for (int e = 0; e < k / 2; e++) {
        out[e] = bf16_round(a[2 * e]);
        out[units + e] = bf16_round(a[2 * e + 1]);
    }
    if (k % 2)
        out[k / 2] = bf16_round(a[k - 1]);
}

INLINE void multiply(const enum form f, const struct product *q)
{
    const int units = f == HALVES ? half_ld(q->k) / 2 : q->k, ld_left = 2 * units;
    const float *b = f == HALVES ? q->halves : q->b.x.at;
    const ptrdiff_t ld = f == HALVES ? units : q->b.x.ld;
    float *left = scratch(SCRATCH_SHARED, (size_t)q->m * (size_t)ld_left);

    for (int i = 0; i < q->m; i++)
        lay_out(f, open_numbers(numbers_from(q->a.x, i, 0), q->k,
                                scratch(SCRATCH_ROWS, (size_t)q->k)),
                q->k, units, left + i * ld_left);
    #pragma omp parallel for if ((size_t)q->n * (size_t)q->k > PARALLEL)
    for (int j = 0; j < q->n; j++)
        for (int i = 0; i < q->m; i++) {
            const struct numbers c = numbers_from(q->c, i, j);
            float room, *x = open_numbers(c, 1, &room);
            *x = (q->add ? *x : q->bias ? q->bias[j] : 0)
               + dot(f, left + i * ld_left, b + j * ld, units);
            close_numbers(c, 1, x);
        }
}

static void multiply_plain(const struct product *q) { multiply(PLAIN, q); }
static void multiply_rounding(const struct product *q) { multiply(TO_ROUND, q); }
static void multiply_halves(const struct product *q) { multiply(HALVES, q); }

int KERNEL(product_few)(const struct product *q)
{
    if (q->m > 4 || !q->b.turned || q->b.x.narrow || q->a.turned || q->sums)
        return 0;
    if (q->precision != PRECISION_BF16)
        multiply_plain(q);
    else
        (q->halves ? multiply_halves : multiply_rounding)(q);
    return 1;
}

void KERNEL(halve)(const struct tensor *t, float *halves)
{
    const int units = half_ld(t->cols) / 2;
    #pragma omp parallel for
    for (int r = 0; r < t->rows; r++) {
        const float *from = row(t, r);
        float *restrict to = halves + (ptrdiff_t)r * units;
        for (int e = 0; e < units; e++)
            to[e] = 0;
        for (int e = 0; e < t->cols / 2; e++)
            to[e] = pair_of(from[2 * e], from[2 * e + 1]);
        if (t->cols % 2)
            to[t->cols / 2] = pair_of(from[t->cols - 1], 0);
    }
}
