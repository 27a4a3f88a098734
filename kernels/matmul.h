/* matmul.h - the library's matrix product, for sizes where its call costs nothing. */
#pragma once
#include "kernels/ops.h"

/* A matrix as it lies in memory: element (i, j) at data[i * ld + j], or with `turned`
 * at data[j * ld + i].  f32, or bf16 in 16 bits. */
struct matmul_in {
    const void *data;
    int ld, turned;
};

/* c [m, n] = a [m, k] b [k, n] + bias [n] (or NULL), or with `add` added to c. */
struct matmul {
    enum precision precision;       /* of a and b; c, bias and the sums are f32 */
    int m, n, k;
    struct matmul_in a, b;
    float *c;
    int ldc;
    const float *bias;
    int add;
};

/* Whether the library is there for this product and faster than own blocks (doc: product.c's
 * are within a tenth of it in f32, and in bf16 spare a pass that rounds the operands). */
int matmul_wins(const struct matmul *);
/* a and b hold 16-bit numbers in bf16.  0 where the library cannot do it on this machine, as bf16
 * without AVX-512.  One caller at a time. */
int matmul_run(const struct matmul *);
