/* scale.cu - y = factor x with one learned number. */
#include "kernels/cuda/elementwise.cuh"

/* to = factor * from, or to += factor * from. */
template <int V, class T>
__global__ void scale_apply(struct extent e, const T *from, int from_ld, T *to, int to_ld,
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
template <class T>
__global__ void product_partial(int n, int c, const T *x, int x_ld, const T *dy, int y_ld,
                                double *partial)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    double sum = 0;
    for (size_t r = (size_t)blockIdx.x * WARPS + warp; r < n; r += (size_t)gridDim.x * WARPS)
        for (int i = lane; i < c; i += WARP)
            sum += (double)float(x[r * x_ld + i]) * float(dy[r * y_ld + i]);
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

/* to = factor * from, or to += factor * from: data or gradients of t and u. */
static void apply(const struct scale_args *a, const struct tensor *t, const float *from,
                  const struct tensor *u, float *to, bool add)
{
    const struct tensor *const tensors[] = {t, u};
    const float *const p[] = {from, to};
    const struct spread s = spread_over(tensors, p, 2);
    by_storage(t, [&](auto zero) {
        using T = decltype(zero);
        LAUNCH((s.fours ? scale_apply<4, T> : scale_apply<1, T>), s.blocks, BLOCK, 0, s.extent,
               (const T *)from, t->ld, (T *)to, u->ld, add, a->factor->data);
    });
}

extern "C" void cuda_scale_forward(const struct scale_args *a)
{
    apply(a, a->x, a->x->data, a->y, a->y->data, false);
}

extern "C" void cuda_scale_backward(const struct scale_args *a)
{
    const int n = a->x->rows;
    if (a->x->grad)
        apply(a, a->y, a->y->grad, a->x, a->x->grad, !a->x->fresh);
    if (a->factor->grad) {
        const int blocks = min(512, (int)blocks_for(n, WARPS));
        double *partial = (double *)cuda_scratch(SCRATCH_SUMS, sizeof(double) * blocks);
        by_storage(a->x, [&](auto zero) {
            using T = decltype(zero);
            LAUNCH(product_partial<T>, blocks, BLOCK, 0, n, a->x->cols, data_of<T>(a->x), a->x->ld,
                   grad_of<T>(a->y), a->y->ld, partial);
        });
        LAUNCH(product_total, 1, BLOCK, 0, blocks, partial, a->factor->grad, a->factor->fresh);
    }
}
