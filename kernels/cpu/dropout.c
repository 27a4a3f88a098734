/* dropout.c - which elements are dropped, and dropping them. */
#include "base/random.h"
#include "kernels/cpu/cpu.h"

enum { QUADS = 64 };        /* groups of four numbers drawn in one vector loop */

void KERNEL(dropout_scales)(const struct tensor *draw, unsigned site, float p, uint64_t first,
                            int n, float *scale)
{
    const uint32_t *d = (const uint32_t *)(const void *)draw->data;
    const uint64_t seed = (uint64_t)d[1] << 32 | d[0];
    const float kept = 1 / (1 - p);

    if (!d[3]) {
        for (int i = 0; i < n; i++)
            scale[i] = 1;
        return;
    }
    for (int done = 0; done < n;) {
        const uint64_t quad = (first + (uint64_t)done) / 4;
        const int skip = (int)((first + (uint64_t)done) % 4);
        const int w = min_int(4 * QUADS - skip, n - done);
        float part[4 * QUADS];
        #pragma omp simd
        for (int q = 0; q < QUADS; q++) {
            const struct random4 r = random_at(seed, site, d[2], quad + (uint64_t)q);
            part[4 * q + 0] = random_uniform(r.v[0]) >= p ? kept : 0;
            part[4 * q + 1] = random_uniform(r.v[1]) >= p ? kept : 0;
            part[4 * q + 2] = random_uniform(r.v[2]) >= p ? kept : 0;
            part[4 * q + 3] = random_uniform(r.v[3]) >= p ? kept : 0;
        }
        for (int i = 0; i < w; i++)
            scale[done + i] = part[skip + i];
        done += w;
    }
}

enum { PART = 256 };

/* out[i] (+)= x[i] * scale of row r's element i. */
static void drop(const struct dropout_args *a, int r, const float *x, float *out, int add)
{
    const int c = a->x->cols;
    for (int from = 0; from < c; from += PART) {
        const int w = min_int(PART, c - from);
        float scale[PART];
        KERNEL(dropout_scales)(a->draw, a->site, a->p,
                               (uint64_t)r * (uint64_t)c + (uint64_t)from, w, scale);
        for (int i = 0; i < w; i++)
            out[from + i] = (add ? out[from + i] : 0) + x[from + i] * scale[i];
    }
}

void KERNEL(dropout_forward)(const struct dropout_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        drop(a, r, row(a->x, r), row(a->y, r), 0);
}

void KERNEL(dropout_backward)(const struct dropout_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    if (!wants_grad(a->x))
        return;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        drop(a, r, grad_row(a->y, r), grad_row(a->x, r), !a->x->fresh);
}
