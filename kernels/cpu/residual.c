/* residual.c - one Euler step of the residual stream. */
#include "kernels/cpu/numbers.h"
#include "kernels/scratch.h"

void KERNEL(residual_forward)(const struct residual_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL)
    for (int r = 0; r < n; r++) {
        const float *x = row(a->x, r);
        const float *f = open_row(a->f, a->f->data, r, scratch(SCRATCH_ROWS, (size_t)c));
        float *restrict y = row(a->y, r);
        for (int i = 0; i < c; i++)
            y[i] = x[i] + a->step * f[i];
    }
}

static void add_scaled(const struct tensor *t, const struct tensor *y, int r, float scale)
{
    float *dx = open_row(t, t->grad, r, scratch(SCRATCH_ROWS, (size_t)t->cols));
    const float *dy = grad_row(y, r);
    const int fresh = t->fresh;
    #pragma omp simd
    for (int i = 0; i < y->cols; i++)
        dx[i] = (fresh ? 0 : dx[i]) + scale * dy[i];
    close_row(t, t->grad, r, dx);
}

void KERNEL(residual_backward)(const struct residual_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL)
    for (int r = 0; r < n; r++) {
        if (wants_grad(a->x) && a->x->grad != a->y->grad)
            add_scaled(a->x, a->y, r, 1);       /* else it takes over what y has: see ops.h */
        if (wants_grad(a->f))
            add_scaled(a->f, a->y, r, a->step);
    }
}
