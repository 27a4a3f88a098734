/* columns.cuh - sums over rows, column by column, in one fixed order: partial sums of runs of
 * rows, then their sum; no atomics, so every run gives the same bits. */
#pragma once
#include "kernels/cuda/cuda.cuh"

/* first[s, i] and second[s, i] = sums over the s-th of `runs` runs of rows of what f adds for
 * (r, i): a warp to a row, a lane to a column. */
template <class F>
__global__ void column_partials(int n, int c, F f, int runs, float *first, float *second)
{
    __shared__ float sums[2][WARPS][WARP];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int i = blockIdx.x * WARP + lane, each = (n + runs - 1) / runs;
    const int begin = blockIdx.y * each, end = min(n, begin + each);
    float a = 0, b = 0;
    if (i < c)
        for (int r = begin + warp; r < end; r += WARPS)
            f((size_t)r, i, &a, &b);
    sums[0][warp][lane] = a;
    sums[1][warp][lane] = b;
    __syncthreads();
    if (warp == 0 && i < c) {
        for (int w = 1; w < WARPS; w++) {
            a += sums[0][w][lane];
            b += sums[1][w][lane];
        }
        first[(size_t)blockIdx.y * c + i] = a;
        second[(size_t)blockIdx.y * c + i] = b;
    }
}

/* The gradient of columns [first, first + c) of t, if any, (+)= the sums of the columns of
 * partial [runs, c]. */
void add_column_totals(int c, int runs, const float *partial, const struct tensor *t, int first);

/* Add f's two sums over n rows to the gradients of a and b from column `from` on; either may be
 * NULL. */
template <class F>
static void add_columns(int n, int c, F f, const struct tensor *a, const struct tensor *b,
                        int from = 0)
{
    if (!(a && a->grad) && !(b && b->grad))
        return;
    const int runs = min(64, (n + 63) / 64);
    float *partial = (float *)cuda_scratch(SCRATCH_SUMS, sizeof(float) * 2 * (size_t)runs * c);
    float *other = partial + (size_t)runs * c;
    LAUNCH(column_partials<F>, dim3(blocks_for(c, WARP), runs), BLOCK, 0, n, c, f,
           runs, partial, other);
    add_column_totals(c, runs, partial, a, from);
    add_column_totals(c, runs, other, b, from);
}
