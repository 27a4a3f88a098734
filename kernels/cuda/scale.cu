/* scale.cu - y = factor x with one learned number. */
#include "kernels/cuda/elementwise.cuh"

/* to = factor * from, or to += factor * from. */
template <int V>
__global__ void scale_apply(struct extent e, const float *from, int from_ld, float *to, int to_ld,
                            bool add, const float *factor)
{
    const struct place at = my_place<V>(e);
    if (at.col >= e.cols)
        return;
    const float by = *factor;
    const floats<V> x = load<V>(from + at.row * from_ld + at.col);
    floats<V> y = load_old<V>(to + at.row * to_ld + at.col, !add);
    for (int i = 0; i < V; i++)
        y.v[i] += by * x.v[i];
    store<V>(to + at.row * to_ld + at.col, y);
}

/* partial[b] = sum of x dy over the rows of block b, a warp to a row. */
__global__ void product_partial(int n, int c, const float *x, int x_ld, const float *dy, int y_ld,
                                double *partial)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    double sum = 0;
    for (size_t r = (size_t)blockIdx.x * WARPS + warp; r < n; r += (size_t)gridDim.x * WARPS)
        for (int i = lane; i < c; i += WARP)
            sum += (double)x[r * x_ld + i] * dy[r * y_ld + i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        partial[blockIdx.x] = sum;
}

__global__ void product_total(int n, const double *partial, float *to, bool fresh)
{
    double sum = 0;
    for (int i = threadIdx.x; i < n; i += BLOCK)
        sum += partial[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        *to = (fresh ? 0 : *to) + sum;
}

extern "C" void cuda_scale_forward(const struct scale_args *a)
{
    const struct tensor *const t[] = {a->x, a->y};
    const float *const p[] = {a->x->data, a->y->data};
    const struct spread s = spread_over(t, p, 2);
    LAUNCH(s.fours ? scale_apply<4> : scale_apply<1>, s.blocks, BLOCK, 0, s.extent,
           a->x->data, a->x->ld, a->y->data, a->y->ld, false, a->factor->data);
}

extern "C" void cuda_scale_backward(const struct scale_args *a)
{
    const int n = a->x->rows;
    if (a->x->grad) {
        const struct tensor *const t[] = {a->x, a->y};
        const float *const p[] = {a->x->grad, a->y->grad};
        const struct spread s = spread_over(t, p, 2);
        LAUNCH(s.fours ? scale_apply<4> : scale_apply<1>, s.blocks, BLOCK, 0, s.extent,
               a->y->grad, a->y->ld, a->x->grad, a->x->ld, !a->x->fresh, a->factor->data);
    }
    if (a->factor->grad) {
        const int blocks = min(512, (int)blocks_for(n, WARPS));
        double *partial = (double *)cuda_scratch(SCRATCH_SUMS, sizeof(double) * blocks);
        LAUNCH(product_partial, blocks, BLOCK, 0, n, a->x->cols, a->x->data, a->x->ld, a->y->grad,
               a->y->ld, partial);
        LAUNCH(product_total, 1, BLOCK, 0, blocks, partial, a->factor->grad,
               a->factor->fresh);
    }
}
