/* random.h - random numbers addressed by what they are for, not by when they
 * are drawn: the same numbers in any order, on any number of threads or any
 * device, and after a resume.
 *
 * Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as
 * 1, 2, 3"), plain C that nvcc reads too. */
#pragma once
#include <stdint.h>

#ifdef __CUDACC__
#define RANDOM_FN static __host__ __device__ __forceinline__
#else
#define RANDOM_FN static inline
#endif

struct random4 { uint32_t v[4]; };

/* Four words for element / 4 of a site at a step of a seed.  A site is a fixed
 * number for a purpose (a layer's dropout, a tensor's initial values). */
RANDOM_FN struct random4 random_at(uint64_t seed, uint32_t site, uint32_t step, uint64_t quad)
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    struct random4 c = {{(uint32_t)quad, (uint32_t)(quad >> 32), step, site}};
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)0xD2511F53u * c.v[0], b = (uint64_t)0xCD9E8D57u * c.v[2];
        const uint32_t x = c.v[1], y = c.v[3];
        c.v[0] = (uint32_t)(b >> 32) ^ x ^ k0;
        c.v[1] = (uint32_t)b;
        c.v[2] = (uint32_t)(a >> 32) ^ y ^ k1;
        c.v[3] = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

/* One word for one element. */
RANDOM_FN uint32_t random_word(uint64_t seed, uint32_t site, uint32_t step, uint64_t element)
{
    return random_at(seed, site, step, element / 4).v[element % 4];
}

/* [0, 1), 24 bits: a float holds it exactly. */
RANDOM_FN float random_uniform(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24f;
}

/* A standard normal number for element i of a tensor, by Box and Muller in f64. */
double random_normal(uint64_t seed, uint32_t site, uint32_t step, uint64_t element);
/* A number for a name, the same on every machine (FNV-1a): a site from a tensor's name. */
uint32_t random_site(const char *name);
/* Uniform in [0, n), n > 0, without bias. */
uint64_t random_below(uint64_t seed, uint32_t site, uint32_t step, uint64_t element, uint64_t n);
