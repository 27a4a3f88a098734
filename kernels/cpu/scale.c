/* scale.c - every element times one learned number. */
#include "kernels/cpu/cpu.h"

void KERNEL(scale_forward)(const struct scale_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    const float factor = *a->factor->data;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL)
    for (int r = 0; r < n; r++) {
        const float *x = row(a->x, r);
        float *restrict y = row(a->y, r);
        for (int i = 0; i < c; i++)
            y[i] = factor * x[i];
    }
}

static void add_scaled(const struct scale_args *a, int r)
{
    const float factor = *a->factor->data, *restrict dy = grad_row(a->y, r);
    float *restrict dx = grad_row(a->x, r);
    const int fresh = a->x->fresh;
    for (int i = 0; i < a->x->cols; i++)
        dx[i] = (fresh ? 0 : dx[i]) + factor * dy[i];
}

static double row_product(const struct scale_args *a, int r)
{
    const float *x = row(a->x, r), *dy = grad_row(a->y, r);
    double sum = 0;
    #pragma omp simd reduction(+:sum)
    for (int i = 0; i < a->x->cols; i++)
        sum += (double)dy[i] * (double)x[i];
    return sum;
}

/* Runs of rows of fixed bounds, added in order: the same sum at any thread count. */
void KERNEL(scale_backward)(const struct scale_args *a)
{
    enum { RUNS = 64 };
    const int n = a->x->rows, c = a->x->cols, each = (n + RUNS - 1) / RUNS;
    double part[RUNS] = {0}, sum = 0;

    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL)
    for (int k = 0; k < RUNS; k++)
        for (int r = k * each; r < n && r < (k + 1) * each; r++) {
            part[k] += row_product(a, r);
            if (wants_grad(a->x))
                add_scaled(a, r);
        }
    for (int k = 0; k < RUNS; k++)
        sum += part[k];
    if (wants_grad(a->factor))
        *a->factor->grad = (a->factor->fresh ? 0 : *a->factor->grad) + (float)sum;
}
