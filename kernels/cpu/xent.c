/* xent.c - cross-entropy of rows of logits. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vmath.h"
#include <math.h>

/* The largest of l, and the lowest index that has it (0 if all are NaN). */
static float arg_max(const float *l, int n, int *at)
{
    vec tops = splat(-INFINITY);
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        tops = larger(tops, load(l + i));
    if (i < n)
        tops = larger(tops, load_part(l + i, n - i, -INFINITY));
    const float top = largest_of(tops);
    *at = 0;
    for (i = 0; i < n; i++)
        if (l[i] == top) {
            *at = i;
            break;
        }
    return top;
}

static void row_forward(const struct xent_args *a, int r)
{
    const int vocab = a->logits->cols, target = ints(a->targets)[r];
    const float *l = row(a->logits, r);
    int i = 0, *best = (int *)(void *)row(a->best, r);
    const float top = arg_max(l, vocab, best), s = a->smoothing;
    vec sums = splat(0), alls = splat(0);       /* of exp(l - top) and of l - top */

    for (; i + LANES <= vocab; i += LANES) {
        const vec x = load(l + i) - top;
        sums += exp_vec(x);
        alls += x;
    }
    if (i < vocab) {
        sums += exp_vec(load_part(l + i, vocab - i, -INFINITY) - top);
        alls += load_part(l + i, vocab - i, top) - top;
    }
    const float sum = sum_of(sums), all = sum_of(alls);
    const float log_sum = logf(sum);
    row(a->lse, r)[0] = top + log_sum;
    row(a->loss, r)[0] = target < 0 ? 0 : (1 - s) * (log_sum - (l[target] - top))
                       + (s > 0 ? s * (log_sum - all / (float)vocab) : 0);
}

void KERNEL(xent_forward)(const struct xent_args *a)
{
    const int n = a->logits->rows;
    #pragma omp parallel for if ((size_t)n * (size_t)a->logits->cols > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        row_forward(a, r);
}

/* dlogits = dloss * (p - (1 - smoothing) [target] - smoothing / vocab). */
static void row_backward(const struct xent_args *a, int r)
{
    const int vocab = a->logits->cols, target = ints(a->targets)[r], fresh = a->logits->fresh;
    const float lse = row(a->lse, r)[0], dy = grad_row(a->loss, r)[0];
    const float *l = row(a->logits, r);
    float *dl = grad_row(a->logits, r);
    int i = 0;

    if (target < 0) {
        for (; i < vocab && fresh; i++)
            dl[i] = 0;
        return;
    }
    const float spread = a->smoothing / (float)vocab;
    for (; i + LANES <= vocab; i += LANES)
        store(dl + i, (fresh ? splat(0) : load(dl + i))
                      + (exp_vec(load(l + i) - lse) - spread) * dy);
    if (i < vocab)
        store_part(dl + i, (fresh ? splat(0) : load_part(dl + i, vocab - i, 0))
                   + (exp_vec(load_part(l + i, vocab - i, 0) - lse) - spread) * dy, vocab - i);
    dl[target] -= dy * (1 - a->smoothing);
}

void KERNEL(xent_backward)(const struct xent_args *a)
{
    const int n = a->logits->rows;
    if (!wants_grad(a->logits))
        return;
    #pragma omp parallel for if ((size_t)n * (size_t)a->logits->cols > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        row_backward(a, r);
}
