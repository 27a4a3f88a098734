/* dropout.c - which elements are dropped, and dropping them. */
#include "base/random.h"
#include "kernels/cpu/numbers.h"

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

/* Row r of `out` (+)= that of `in` * scale, both data or both gradients. */
static void drop(const struct dropout_args *a, int r, const struct tensor *in, float *in_floats,
                 const struct tensor *out, float *out_floats, int add)
{
    const int c = a->x->cols;
    for (int from = 0; from < c; from += PART) {
        const int w = min_int(PART, c - from);
        float scale[PART], room[2 * PART];
        const float *x = open_part(in, in_floats, r, from, w, room);
        float *y = open_part(out, out_floats, r, from, w, room + PART);
        KERNEL(dropout_scales)(a->draw, a->site, a->p,
                               (uint64_t)r * (uint64_t)c + (uint64_t)from, w, scale);
        for (int i = 0; i < w; i++)
            y[i] = (add ? y[i] : 0) + x[i] * scale[i];
        close_part(out, out_floats, r, from, w, y);
    }
}

void KERNEL(dropout_forward)(const struct dropout_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        drop(a, r, a->x, a->x->data, a->y, a->y->data, 0);
}

void KERNEL(dropout_backward)(const struct dropout_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    if (!wants_grad(a->x))
        return;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        drop(a, r, a->y, a->y->grad, a->x, a->x->grad, !a->x->fresh);
}
