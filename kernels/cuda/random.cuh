/* random.cuh - the keep factors of dropout, as ops.h defines them. */
#pragma once
#include "base/random.h"
#include "kernels/cuda/cuda.cuh"

/* What a [1, 4] int32 `draw` tensor holds. */
struct draw {
    uint64_t seed;
    uint32_t step, site;
    float p, scale;     /* p is 0 while not training: everything is kept, unscaled */
};

static __device__ __forceinline__ struct draw read_draw(const float *words, unsigned site, float p)
{
    if (!words)
        return {0, 0, 0, 0, 1};
    const uint32_t *w = reinterpret_cast<const uint32_t *>(words);
    const bool training = w[3] != 0;
    return {w[0] | (uint64_t)w[1] << 32, w[2], site, training ? p : 0,
            training ? 1 / (1 - p) : 1};
}

/* What element e is multiplied by: 0 or 1 / (1 - p). */
static __device__ __forceinline__ float keep(struct draw d, uint64_t e)
{
    if (d.p == 0)
        return d.scale;
    const struct random4 r = random_at(d.seed, d.site, d.step, e / 4);
    const uint32_t even = e & 2 ? r.v[2] : r.v[0], odd = e & 2 ? r.v[3] : r.v[1];
    return random_uniform(e & 1 ? odd : even) >= d.p ? d.scale : 0;
}
