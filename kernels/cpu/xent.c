/* xent.c - cross-entropy of rows of logits. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vmath.h"
#include <math.h>

/* The largest of l, and the lowest index that has it (0 if all are NaN). */
static float arg_max(const float *l, int n, int *at)
{
    float top = -INFINITY;
    #pragma omp simd reduction(max:top)
    for (int i = 0; i < n; i++)
        top = l[i] > top ? l[i] : top;
    *at = 0;
    for (int i = 0; i < n; i++)
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
    int *best = (int *)(void *)row(a->best, r);
    const float top = arg_max(l, vocab, best), s = a->smoothing;
    float sum = 0, all = 0;         /* of exp(l - top) and of l - top */

    #pragma omp simd reduction(+:sum, all)
    for (int i = 0; i < vocab; i++) {
        sum += exp_float(l[i] - top);
        all += l[i] - top;
    }
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
    const int vocab = a->logits->cols, target = ints(a->targets)[r];
    const float lse = row(a->lse, r)[0], dy = grad_row(a->loss, r)[0];
    const float *restrict l = row(a->logits, r);
    float *restrict dl = grad_row(a->logits, r);

    if (target < 0)
        return;
    const float spread = a->smoothing / (float)vocab;
    #pragma omp simd
    for (int i = 0; i < vocab; i++)
        dl[i] += dy * (exp_float(l[i] - lse) - spread);
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
