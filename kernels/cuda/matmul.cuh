/* matmul.cuh - the one matrix product of this backend; matmul.cu holds cuBLASLt behind it. */
#pragma once
#include "kernels/cuda/cuda.cuh"

/* c = a b, or c += a b; all row-major: [m, n] = [m, k] [k, n], with c (+ bias) by row.  A turned
 * operand is stored the other way round: a as [k, m], b as [n, k]. */
struct product {
    const float *a, *b;
    float *c;
    const float *bias;              /* [n], added to each row, or NULL */
    int m, n, k;
    int a_ld, b_ld, c_ld;
    bool a_turned, b_turned, add;
    enum precision precision;
};

void matmul(const struct product *p);
