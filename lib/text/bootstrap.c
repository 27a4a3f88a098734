#include "text/bootstrap.h"
#include <math.h>
#include <stdlib.h>

void twister_seed(struct twister *t, uint32_t seed)
{
    t->state[0] = seed;
    for (uint32_t i = 1; i < 624; i++)
        t->state[i] = 1812433253u * (t->state[i - 1] ^ t->state[i - 1] >> 30) + i;
    t->at = 624;
}

uint32_t twister_word(struct twister *t)
{
    if (t->at == 624) {
        uint32_t *s = t->state;
        for (int i = 0; i < 624; i++) {
            const uint32_t y = (s[i] & 0x80000000u) | (s[(i + 1) % 624] & 0x7fffffffu);
            s[i] = s[(i + 397) % 624] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        t->at = 0;
    }
    uint32_t y = t->state[t->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

uint32_t twister_below(struct twister *t, uint32_t n)
{
    uint32_t mask = 0, v;
    if (n < 2)
        return 0;
    while (mask < n - 1)
        mask = 2 * mask + 1;
    while ((v = twister_word(t) & mask) >= n)
        ;
    return v;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double quantile(double *v, size_t n, double q)
{
    qsort(v, n, sizeof *v, by_value);
    const double at = q * (double)(n - 1), low = floor(at), part = at - low;
    const size_t i = (size_t)low;
    if (i + 1 >= n)
        return v[n - 1];
    /* numpy's form, which is exact at both ends */
    return part < 0.5 ? v[i] + (v[i + 1] - v[i]) * part
                      : v[i + 1] - (v[i + 1] - v[i]) * (1 - part);
}
