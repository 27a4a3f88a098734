/* scale.c - every element times one learned number. */
#include "kernels/cpu/numbers.h"
#include "kernels/scratch.h"

void KERNEL(scale_forward)(const struct scale_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    const float factor = *a->factor->data;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL)
    for (int r = 0; r < n; r++) {
        float *room = scratch(SCRATCH_ROWS, 2 * (size_t)c);
        const float *x = open_row(a->x, a->x->data, r, room);
        float *restrict y = begin_row(a->y, a->y->data, r, room + c);
        for (int i = 0; i < c; i++)
            y[i] = factor * x[i];
        close_row(a->y, a->y->data, r, y);
    }
}

static void add_scaled(const struct scale_args *a, int r)
{
    const int c = a->x->cols, fresh = a->x->fresh;
    float *room = scratch(SCRATCH_ROWS, 2 * (size_t)c);
    const float factor = *a->factor->data, *restrict dy = open_row(a->y, a->y->grad, r, room);
    float *restrict dx = open_row(a->x, a->x->grad, r, room + c);
    for (int i = 0; i < c; i++)
        dx[i] = (fresh ? 0 : dx[i]) + factor * dy[i];
    close_row(a->x, a->x->grad, r, dx);
}

static double row_product(const struct scale_args *a, int r)
{
    const int c = a->x->cols;
    float *room = scratch(SCRATCH_ROWS, 2 * (size_t)c);
    const float *x = open_row(a->x, a->x->data, r, room);
    const float *dy = open_row(a->y, a->y->grad, r, room + c);
    double sum = 0;
    #pragma omp simd reduction(+:sum)
    for (int i = 0; i < c; i++)
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
