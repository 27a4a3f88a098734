/* embed.c - rows of the token, position and segment tables, added up. */
#include "kernels/cpu/cpu.h"
#include <string.h>

static int place(const struct embed_args *a, int r)
{
    return a->places ? ints(a->places)[r] : r % a->time;
}

void KERNEL(embed_forward)(const struct embed_args *a)
{
    const int n = a->y->rows, c = a->y->cols;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL)
    for (int r = 0; r < n; r++) {
        const float *token = row(a->token, ints(a->ids)[r]);
        float *y = row(a->y, r);
        for (int i = 0; i < c; i++)
            y[i] = a->scale * token[i];
        if (a->position) {
            const float *position = row(a->position, place(a, r));
            for (int i = 0; i < c; i++)
                y[i] += position[i];
        }
        if (a->segment) {
            const float *segment = row(a->segment, ints(a->segments)[r]);
            for (int i = 0; i < c; i++)
                y[i] += segment[i];
        }
    }
}

static void add_scaled(float *restrict sum, const float *restrict x, float scale, int n)
{
    for (int i = 0; i < n; i++)
        sum[i] += scale * x[i];
}

/* A table of which only some rows get a gradient. */
static void clear_fresh(const struct tensor *t)
{
    if (!wants_grad(t) || !t->fresh)
        return;
    #pragma omp parallel for if (tensor_size(t) > PARALLEL)
    for (int r = 0; r < t->rows; r++)
        memset(grad_row(t, r), 0, (size_t)t->cols * sizeof(float));
}

/* Threads own columns: no two add to one number, and equal ids add up in the order of rows. */
void KERNEL(embed_backward)(const struct embed_args *a)
{
    const int n = a->y->rows, c = a->y->cols;
    clear_fresh(a->token), clear_fresh(a->position), clear_fresh(a->segment);
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL)
    for (int from = 0; from < c; from += COLUMNS) {
        const int w = min_int(COLUMNS, c - from);
        for (int r = 0; r < n; r++) {
            const float *dy = grad_row(a->y, r) + from;
            if (wants_grad(a->token))
                add_scaled(grad_row(a->token, ints(a->ids)[r]) + from, dy, a->scale, w);
            if (wants_grad(a->position))
                add_scaled(grad_row(a->position, place(a, r)) + from, dy, 1, w);
            if (wants_grad(a->segment))
                add_scaled(grad_row(a->segment, ints(a->segments)[r]) + from, dy, 1, w);
        }
    }
}
