#include "base/random.h"
#include <math.h>

__extension__ typedef unsigned __int128 wide;

double random_normal(uint64_t seed, uint32_t site, uint32_t step, uint64_t element)
{
    const double two_pi = 6.283185307179586;
    const struct random4 r = random_at(seed, site, step, element / 2);
    const double u = ((double)r.v[0] + 0x1p-32 * r.v[1] + 0x1p-33) * 0x1p-32;   /* (0, 1) */
    const double angle = two_pi * 0x1p-32 * r.v[2];
    return sqrt(-2 * log(u)) * (element % 2 ? sin(angle) : cos(angle));
}

uint32_t random_site(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 16777619u;
    return h;
}

/* 128-bit products of 64-bit words; the few that would favour some results are redrawn
 * (Lemire 2019, "Fast random integer generation in an interval"). */
uint64_t random_below(uint64_t seed, uint32_t site, uint32_t step, uint64_t element, uint64_t n)
{
    const uint64_t few = -n % n;
    for (uint64_t again = 0;; again += UINT64_C(1) << 48) {
        const struct random4 r = random_at(seed, site, step, element + again);
        const wide p = (wide)((uint64_t)r.v[0] << 32 | r.v[1]) * n;
        if ((uint64_t)p >= few)
            return (uint64_t)(p >> 64);
    }
}
