/* optim.c - the optimisers' single pass over memory, and what goes with them. */
#include "kernels/cpu/cpu.h"
#include <math.h>
#include <string.h>

enum { CHUNK = 1 << 14 };       /* floats a thread takes at a time: the sums' fixed parts */

static size_t chunk_size(size_t n, size_t from)
{
    return n - from < CHUNK ? n - from : CHUNK;
}

void KERNEL(zero)(float *x, size_t n)
{
    const size_t part = 64 * CHUNK;     /* large: then memset() does not read what it overwrites */
    #pragma omp parallel for if (n > part)
    for (size_t from = 0; from < n; from += part)
        memset(x + from, 0, (n - from < part ? n - from : part) * sizeof *x);
}

/* Sums of columns of WIDTH, then across: enough of them at once to keep up with memory. */
enum { WIDTH = 64, AHEAD = 2048 };      /* floats; AHEAD is asked for from memory in time */

static double chunk_sum(const float *x, size_t n)
{
    double part[WIDTH] = {0}, sum = 0;
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        for (int j = 0; j < WIDTH; j += 16)
            __builtin_prefetch(x + i + j + AHEAD, 0, 2);
        for (int j = 0; j < WIDTH; j++)
            part[j] += (double)x[i + (size_t)j];
    }
    for (; i < n; i++)
        sum += (double)x[i];
    for (int j = 0; j < WIDTH; j++)
        sum += part[j];
    return sum;
}

static double chunk_squares(const float *x, size_t n)
{
    double part[WIDTH] = {0}, sum = 0;
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        for (int j = 0; j < WIDTH; j += 16)
            __builtin_prefetch(x + i + j + AHEAD, 0, 2);
        for (int j = 0; j < WIDTH; j++)
            part[j] += (double)x[i + (size_t)j] * (double)x[i + (size_t)j];
    }
    for (; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    for (int j = 0; j < WIDTH; j++)
        sum += part[j];
    return sum;
}

/* Chunks of fixed size, added in order: the same sum at any thread count. */
static double sum_chunks(double (*chunk)(const float *, size_t), const float *x, size_t n)
{
    enum { AT_ONCE = 256 };
    double sum = 0;
    for (size_t start = 0; start < n; start += (size_t)AT_ONCE * CHUNK) {
        double part[AT_ONCE] = {0};
        #pragma omp parallel for if (n - start > PARALLEL)
        for (int k = 0; k < AT_ONCE; k++) {
            const size_t from = start + (size_t)k * CHUNK;
            if (from < n)
                part[k] = chunk(x + from, chunk_size(n, from));
        }
        for (int k = 0; k < AT_ONCE; k++)
            sum += part[k];
    }
    return sum;
}

void KERNEL(sum)(const float *x, size_t n, double *sum)
{
    *sum = sum_chunks(chunk_sum, x, n);
}

void KERNEL(sum_squares)(const float *x, size_t n, double *sum)
{
    *sum = sum_chunks(chunk_squares, x, n);
}

static void adam_chunk(const struct adam_args a, const struct update u, size_t from, size_t n)
{
    float *restrict w = a.w + from, *restrict m = a.m + from, *restrict v = a.v + from;
    const float *restrict grad = a.grad + from;
    const float keep = 1 - u.lr * a.decay, rate = u.lr / u.correct1, root = 1 / sqrtf(u.correct2);

    #pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const float g = u.scale * grad[i];
        m[i] = a.beta1 * m[i] + (1 - a.beta1) * g;
        v[i] = a.beta2 * v[i] + (1 - a.beta2) * g * g;
        w[i] = keep * w[i] - rate * m[i] / (sqrtf(v[i]) * root + a.eps);
    }
}

void KERNEL(adam)(const struct adam_args *a)
{
    if (isnan(a->now->scale))
        return;
    #pragma omp parallel for if (a->n > PARALLEL)
    for (size_t from = 0; from < a->n; from += CHUNK)
        adam_chunk(*a, *a->now, from, chunk_size(a->n, from));
}

static void sgd_chunk(const struct sgd_args a, const struct update u, size_t from, size_t n)
{
    float *restrict w = a.w + from, *restrict m = a.m ? a.m + from : NULL;
    const float *restrict grad = a.grad + from;
    const float keep = 1 - u.lr * a.decay;

    for (size_t i = 0; i < n; i++) {
        const float g = u.scale * grad[i], step = m ? a.momentum * m[i] + g : g;
        if (m)
            m[i] = step;
        w[i] = keep * w[i] - u.lr * step;
    }
}

void KERNEL(sgd)(const struct sgd_args *a)
{
    if (isnan(a->now->scale))
        return;
    #pragma omp parallel for if (a->n > PARALLEL)
    for (size_t from = 0; from < a->n; from += CHUNK)
        sgd_chunk(*a, *a->now, from, chunk_size(a->n, from));
}
