/* product.h - the matrix product behind linear and the head. */
#pragma once
#include "kernels/cpu/numbers.h"

/* Element (i, j) is that of x, or with `turned` (j, i). */
struct factor {
    struct numbers x;
    int turned;
};

static inline struct factor factor_of(const struct tensor *t, const float *floats, int turned)
{
    return (struct factor){numbers_of(t, floats), turned};
}

/* c [m, n] = a [m, k] b [k, n] + bias [n] (or NULL), or with `add` added to c; in bf16 a and b
 * are rounded, the sums are f32, and c is rounded once where it is stored in bf16.  sums [m] (or
 * NULL) += the sums of a's rows, unrounded, where a is turned.  In f32 all is stored in f32. */
struct product {
    enum precision precision;
    int m, n, k;
    struct factor a, b;
    struct numbers c;
    const float *bias;
    int add;
    float *sums;
    const float *halves;        /* b in bf16 as backend.h's halve() makes it, or NULL */
};
