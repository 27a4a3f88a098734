/* bootstrap.h - resampling, number for number as numpy's legacy generator does it
 * (np.random.seed), so that intervals can be compared with those of Python tools. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The Mersenne twister MT19937 (Matsumoto and Nishimura 1998). */
struct twister {
    uint32_t state[624];
    int at;
};

void twister_seed(struct twister *t, uint32_t seed);
uint32_t twister_word(struct twister *t);
/* Uniform in [0, n): masked and redrawn; n = 1 draws nothing. */
uint32_t twister_below(struct twister *t, uint32_t n);

/* Sorts v; its q-quantile (0 <= q <= 1) with linear interpolation. */
double quantile(double *v, size_t n, double q);
