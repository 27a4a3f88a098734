/* elementwise.cuh - how an elementwise kernel is spread over blocks: each block takes a run of
 * one row.  Operands without padding make one long row. */
#pragma once
#include "kernels/cuda/cuda.cuh"

struct extent {
    size_t cols;        /* of a row */
    unsigned chunks;    /* blocks to a row */
};

struct spread {
    struct extent extent;
    unsigned blocks;
    bool fours;         /* 4 numbers at a time */
};

struct place {
    size_t row, col;
};

template <int V> static __device__ __forceinline__ struct place my_place(struct extent e)
{
    const unsigned row = blockIdx.x / e.chunks, chunk = blockIdx.x % e.chunks;
    return {row, ((size_t)chunk * BLOCK + threadIdx.x) * V};
}

/* For operands of one shape: n tensors and the float arrays of each that the kernel touches. */
static inline struct spread spread_over(const struct tensor *const *t, const float *const *p, int n)
{
    struct spread s = {{(size_t)t[0]->cols, 1}, 0, true};
    size_t rows = (size_t)t[0]->rows;
    bool packed = true;
    for (int i = 0; i < n; i++) {
        packed = packed && t[i]->ld == t[i]->cols;
        s.fours = s.fours && in_fours(t[i], p[i]);
    }
    if (packed) {
        s.extent.cols *= rows;
        rows = 1;
    }
    s.extent.chunks = blocks_for(s.extent.cols, BLOCK * (s.fours ? 4 : 1));
    s.blocks = (unsigned)rows * s.extent.chunks;
    return s;
}
