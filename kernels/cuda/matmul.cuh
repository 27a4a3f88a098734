/* matmul.cuh - the one matrix product of this backend; matmul.cu holds cuBLASLt behind it. */
#pragma once
#include "kernels/cuda/cuda.cuh"

/* A matrix as a product takes it. */
struct operand {
    const void *at;
    int ld;                     /* numbers from row to row */
    enum storage storage;
};

/* Rows [first, first + rows) of t's data or gradient as inputs of a product of that precision: for
 * bf16 a parameter's copy, or what is stored in f32 converted into that scratch memory. */
struct operand operand_of(const struct tensor *t, const float *p, int first, int rows,
                          enum precision precision, enum scratch use);

/* c = a b, or c += a b; all row-major: [m, n] = [m, k] [k, n], with c (+ bias) by row.  A turned
 * operand is stored the other way round: a as [k, m], b as [n, k].  a and b are stored alike.
 * One of the last three may be asked for, if cuBLASLt has it:
 * c = gelu(it), what it was goes to gelu_of;  c = gelu'(slope_at) * it;  sums of a over k. */
struct product {
    struct operand a, b;
    void *c;
    int c_ld;
    enum storage c_storage;
    const void *bias;               /* [n] of c's storage, added to each row, or NULL */
    int m, n, k;
    bool a_turned, b_turned, add;
    enum precision precision;
    void *gelu_of = nullptr;        /* [m, n], of c's storage, as the next; gelu's tanh form */
    const void *slope_at = nullptr;
    int aux_ld = 0;                 /* of either */
    float *sums = nullptr;          /* [m], stored; c is f32 */
};

/* False where one of the last three is asked for and not to be had: then nothing is done. */
bool matmul(const struct product *p);
