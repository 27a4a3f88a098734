/* norm.c - LayerNorm and RMSNorm over rows. */
#include "kernels/cpu/numbers.h"
#include "kernels/scratch.h"
#include <math.h>

/* Two passes: the variance of a row is taken around its own mean.  The one-pass
 * E[x^2] - E[x]^2 loses every digit once |mean| >> deviation, which is what the
 * hidden states of an unstable run look like. */
static void row_stats(const float *x, int c, int center, float eps, float *stats)
{
    float mean = 0, var = 0;
    if (center) {
        #pragma omp simd reduction(+:mean)
        for (int i = 0; i < c; i++)
            mean += x[i];
        mean /= (float)c;
    }
    #pragma omp simd reduction(+:var)
    for (int i = 0; i < c; i++)
        var += (x[i] - mean) * (x[i] - mean);
    stats[0] = mean;
    stats[1] = 1 / sqrtf(var / (float)c + eps);
}

void KERNEL(norm_forward)(const struct norm_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL)
    for (int r = 0; r < n; r++) {
        float *room = scratch(SCRATCH_ROWS, 2 * (size_t)c), *stats = row(a->stats, r);
        const float *x = open_row(a->x, a->x->data, r, room);
        float *y = begin_row(a->y, a->y->data, r, room + c);

        row_stats(x, c, a->center, a->eps, stats);
        const float mean = stats[0], rstd = stats[1];
        for (int i = 0; i < c; i++)
            y[i] = (x[i] - mean) * rstd;
        if (a->gain)
            for (int i = 0; i < c; i++)
                y[i] *= a->gain->data[i];
        if (a->bias)
            for (int i = 0; i < c; i++)
                y[i] += a->bias->data[i];
        close_row(a->y, a->y->data, r, y);
    }
}

/* With h = (x - mean) * rstd and g = gain * dy:
 *   dx = rstd * (g - [center] mean(g) - h * mean(g * h)). */
static void row_backward(const struct norm_args *a, int r)
{
    const int c = a->x->cols, fresh = a->x->fresh;
    float *room = scratch(SCRATCH_ROWS, 3 * (size_t)c);
    const float *restrict x = open_row(a->x, a->x->data, r, room);
    const float *restrict dy = open_row(a->y, a->y->grad, r, room + c);
    const float *restrict gain = a->gain ? a->gain->data : NULL;
    const float mean = row(a->stats, r)[0], rstd = row(a->stats, r)[1];
    float *restrict dx = open_row(a->x, a->x->grad, r, room + 2 * c);
    float g_mean = 0, gh_mean = 0;

    #pragma omp simd reduction(+:g_mean, gh_mean)
    for (int i = 0; i < c; i++) {
        const float g = gain ? gain[i] * dy[i] : dy[i];
        g_mean += g;
        gh_mean += g * (x[i] - mean) * rstd;
    }
    g_mean = a->center ? g_mean / (float)c : 0;
    gh_mean /= (float)c;
    for (int i = 0; i < c; i++)
        dx[i] = (fresh ? 0 : dx[i]) + rstd * ((gain ? gain[i] * dy[i] : dy[i]) - g_mean
                                              - (x[i] - mean) * rstd * gh_mean);
    close_row(a->x, a->x->grad, r, dx);
}

/* dgain = sum over rows of dy * h,  dbias = sum over rows of dy, of a thread's columns. */
static void columns_backward(const struct norm_args *a, int from)
{
    const int n = a->x->rows, w = min_int(COLUMNS, a->x->cols - from);
    float dgain[COLUMNS] = {0}, dbias[COLUMNS] = {0};

    for (int r = 0; r < n; r++) {
        float room[2 * COLUMNS];
        const float *x = open_part(a->x, a->x->data, r, from, w, room);
        const float *dy = open_part(a->y, a->y->grad, r, from, w, room + COLUMNS);
        const float mean = row(a->stats, r)[0], rstd = row(a->stats, r)[1];
        for (int i = 0; i < w; i++) {
            dgain[i] += dy[i] * ((x[i] - mean) * rstd);
            dbias[i] += dy[i];
        }
    }
    for (int i = 0; i < w && wants_grad(a->gain); i++)
        a->gain->grad[from + i] = (a->gain->fresh ? 0 : a->gain->grad[from + i]) + dgain[i];
    for (int i = 0; i < w && wants_grad(a->bias); i++)
        a->bias->grad[from + i] = (a->bias->fresh ? 0 : a->bias->grad[from + i]) + dbias[i];
}

void KERNEL(norm_backward)(const struct norm_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    if (wants_grad(a->x)) {
        #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL)
        for (int r = 0; r < n; r++)
            row_backward(a, r);
    }
    if (wants_grad(a->gain) || wants_grad(a->bias)) {
        #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL)
        for (int from = 0; from < c; from += COLUMNS)
            columns_backward(a, from);
    }
}
