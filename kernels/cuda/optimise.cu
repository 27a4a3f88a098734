/* optimise.cu - the optimisers' one pass over memory, and the gradient's norm. */
#include "kernels/cuda/cuda.cuh"

static bool fours(const float *a, const float *b, const float *c, const float *d)
{
    return (((uintptr_t)a | (uintptr_t)b | (uintptr_t)c | (uintptr_t)d) & 15) == 0;
}

/* See backend.h; element by element. */
static __device__ __forceinline__ void adam(const struct adam_args &a, float *w, float *m,
                                            float *v, float grad)
{
    const float g = a.scale * grad;
    *m = a.beta1 * *m + (1 - a.beta1) * g;
    *v = a.beta2 * *v + (1 - a.beta2) * g * g;
    *w = *w - a.lr * a.decay * *w
       - a.lr * (*m / a.correct1) / (sqrtf(*v / a.correct2) + a.eps);
}

template <int V> __global__ void adam_update(struct adam_args a)
{
    const size_t i = ((size_t)blockIdx.x * BLOCK + threadIdx.x) * V;
    if (i + V <= a.n) {
        floats<V> w = load<V>(a.w + i), m = load<V>(a.m + i), v = load<V>(a.v + i);
        const floats<V> g = load<V>(a.grad + i);
        for (int k = 0; k < V; k++)
            adam(a, &w.v[k], &m.v[k], &v.v[k], g.v[k]);
        store<V>(a.w + i, w);
        store<V>(a.m + i, m);
        store<V>(a.v + i, v);
    } else {
        for (size_t k = i; k < a.n; k++)
            adam(a, a.w + k, a.m + k, a.v + k, a.grad[k]);
    }
}

static __device__ __forceinline__ void sgd(const struct sgd_args &a, float *w, float *m,
                                           float grad)
{
    const float g = a.scale * grad, step = m ? a.momentum * *m + g : g;
    if (m)
        *m = step;
    *w = *w - a.lr * a.decay * *w - a.lr * step;
}

template <int V> __global__ void sgd_update(struct sgd_args a)
{
    const size_t i = ((size_t)blockIdx.x * BLOCK + threadIdx.x) * V;
    if (i + V <= a.n) {
        floats<V> w = load<V>(a.w + i), m = a.m ? load<V>(a.m + i) : w;
        const floats<V> g = load<V>(a.grad + i);
        for (int k = 0; k < V; k++)
            sgd(a, &w.v[k], a.m ? &m.v[k] : nullptr, g.v[k]);
        store<V>(a.w + i, w);
        if (a.m)
            store<V>(a.m + i, m);
    } else {
        for (size_t k = i; k < a.n; k++)
            sgd(a, a.w + k, a.m ? a.m + k : nullptr, a.grad[k]);
    }
}

extern "C" void cuda_adam(const struct adam_args *a)
{
    if (!a->n)
        return;
    const bool four = fours(a->w, a->m, a->v, a->grad);
    LAUNCH(four ? adam_update<4> : adam_update<1>, blocks_for(a->n, BLOCK * (four ? 4 : 1)), BLOCK,
           0, *a);
}

extern "C" void cuda_sgd(const struct sgd_args *a)
{
    if (!a->n)
        return;
    const bool four = fours(a->w, a->m, a->grad, nullptr);
    LAUNCH(four ? sgd_update<4> : sgd_update<1>, blocks_for(a->n, BLOCK * (four ? 4 : 1)), BLOCK,
           0, *a);
}

__global__ void squares_partial(const float *x, size_t n, double *partial)
{
    double sum = 0;
    for (size_t i = (size_t)blockIdx.x * BLOCK + threadIdx.x; i < n; i += (size_t)gridDim.x * BLOCK)
        sum += (double)x[i] * x[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        partial[blockIdx.x] = sum;
}

__global__ void squares_total(int n, const double *partial, double *total)
{
    double sum = 0;
    for (int i = threadIdx.x; i < n; i += BLOCK)
        sum += partial[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        *total = sum;
}

extern "C" double cuda_sum_squares(const float *x, size_t n)
{
    const unsigned blocks = n < 512 * BLOCK ? blocks_for(n + !n, BLOCK) : 512;
    double *partial = (double *)cuda_scratch(sizeof(double) * (blocks + 1)), total;
    LAUNCH(squares_partial, blocks, BLOCK, 0, x, n, partial);
    LAUNCH(squares_total, 1, BLOCK, 0, (int)blocks, partial, partial + blocks);
    CUDA(cudaMemcpyAsync(&total, partial + blocks, sizeof total, cudaMemcpyDeviceToHost,
                         cuda_stream));
    CUDA(cudaStreamSynchronize(cuda_stream));
    return total;
}
