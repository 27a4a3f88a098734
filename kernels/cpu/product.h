/* product.h - the matrix product behind linear and the head. */
#pragma once
#include "kernels/ops.h"

/* A matrix as it lies in memory: element (i, j) at data[i * ld + j], or with `turned`
 * at data[j * ld + i]. */
struct factor {
    const float *data;
    int ld, turned;
};

/* c [m, n] = a [m, k] b [k, n] + bias [n] (or NULL), or with `add` added to c; in bf16 a and b
 * are rounded, the sums are f32.  sums [m] (or NULL) += the sums of a's rows, unrounded. */
struct product {
    enum precision precision;
    int m, n, k;
    struct factor a, b;
    float *c;
    int ldc;
    const float *bias;
    int add;
    float *sums;
    const float *halves;        /* b in bf16 as backend.h's halve() makes it, or NULL */
};
