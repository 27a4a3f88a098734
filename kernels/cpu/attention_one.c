/* attention_one.c - attention of one query a sequence, as generation needs it: keys and values
 * are read where they lie, once. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/tile.h"
#include "kernels/scratch.h"
#include <math.h>

/* The numbers of a head that a vector takes from column e on. */
INLINE vec part_of(const enum precision p, const float *x, int e, int d)
{
    const vec v = e + LANES <= d ? load(x + e) : load_part(x + e, d - e, 0);
    return rounded(p == PRECISION_BF16, v);
}

/* Scores of n keys, `ld` apart, in x; the largest. */
INLINE float score_keys(const enum precision p, const float *q, const float *k, ptrdiff_t ld,
                        int n, int d, float *x)
{
    float top = -INFINITY;
    for (int j = 0; j < n; j++) {
        vec sum = splat(0);
        for (int e = 0; e < d; e += LANES)
            sum += part_of(p, q, e, d) * part_of(p, k + j * ld, e, d);
        x[j] = sum_of(sum);
        top = x[j] > top ? x[j] : top;
    }
    return top;
}

/* x = exp(scale (x - top)), rounded as a factor is; their sum before.  x has room for a vector
 * behind its n numbers. */
INLINE float soften(const enum precision p, float *x, int n, float top, float scale)
{
    vec sums = splat(0);
    store(x + n, splat(-INFINITY));
    for (int j = 0; j < n; j += LANES) {
        const vec e = exp_vec((load(x + j) - top) * scale);
        sums += e;
        store(x + j, rounded(p == PRECISION_BF16, e));
    }
    return sum_of(sums);
}

INLINE void one_head(const enum precision p, const struct attention_args *a, int b, int h)
{
    const int d = a->q->cols / a->heads, n = a->lengths ? ints(a->lengths)[b] : a->tk;
    const float *k = row(a->k, b * a->tk) + h * d, *v = row(a->v, b * a->tk) + h * d;
    const float scale = 1 / sqrtf((float)d);
    float *x = scratch(SCRATCH_HEAD, (size_t)n + LANES), *y = row(a->y, b) + h * d;

    const float top = score_keys(p, row(a->q, b) + h * d, k, a->k->ld, n, d, x);
    const float sum = soften(p, x, n, top, scale);
    for (int e = 0; e < d; e += LANES) {
        vec mix = splat(0);
        for (int j = 0; j < n; j++)
            mix += part_of(p, v + (ptrdiff_t)j * a->v->ld, e, d) * x[j];
        store_part(y + e, mix * (n ? 1 / sum : 0), min_int(LANES, d - e));
    }
    row(a->lse, b)[h] = scale * top + logf(sum);
}

static void head_f32(const struct attention_args *a, int b, int h)
{
    one_head(PRECISION_F32, a, b, h);
}

static void head_bf16(const struct attention_args *a, int b, int h)
{
    one_head(PRECISION_BF16, a, b, h);
}

int KERNEL(attention_one)(const struct attention_args *a)
{
    const int heads = a->q->rows * a->heads, n = a->lengths ? ints(a->lengths)[0] : a->tk;
    if (a->tq > 1 || a->draw || a->q->storage == STORAGE_BF16)
        return 0;
    #pragma omp parallel for if ((size_t)a->q->rows * (size_t)a->q->cols * (size_t)n > PARALLEL)
    for (int i = 0; i < heads; i++)
        (a->precision == PRECISION_BF16 ? head_bf16 : head_f32)(a, i / a->heads, i % a->heads);
    return 1;
}
