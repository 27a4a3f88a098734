/* columns.cu - the second half of a sum over rows: partial sums are added in their order. */
#include "kernels/cuda/columns.cuh"

__global__ void column_totals(int c, int runs, const float *partial, float *to, bool fresh)
{
    const int i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= c)
        return;
    float sum = 0;
    for (int s = 0; s < runs; s++)
        sum += partial[(size_t)s * c + i];
    to[i] = (fresh ? 0 : to[i]) + sum;
}

void add_column_totals(int c, int runs, const float *partial, const struct tensor *t, int first)
{
    if (t && t->grad)
        LAUNCH(column_totals, blocks_for(c, BLOCK), BLOCK, 0, c, runs, partial, t->grad + first,
               t->fresh);
}
