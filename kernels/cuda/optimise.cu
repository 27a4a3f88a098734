/* optimise.cu - the optimisers' one pass over memory, and the gradient's norm. */
#include "kernels/cuda/cuda.cuh"
#include "kernels/settle.h"

static bool fours(const float *a, const float *b, const float *c, const float *d)
{
    return (((uintptr_t)a | (uintptr_t)b | (uintptr_t)c | (uintptr_t)d) & 15) == 0;
}

/* See backend.h; element by element. */
static __device__ __forceinline__ void adam(const struct adam_args &a, const struct update &u,
                                            float *w, float *m, float *v, float grad)
{
    const float g = u.scale * grad;
    *m = a.beta1 * *m + (1 - a.beta1) * g;
    *v = a.beta2 * *v + (1 - a.beta2) * g * g;
    *w = *w - u.lr * a.decay * *w
       - u.lr * (*m / u.correct1) / (sqrtf(*v / u.correct2) + a.eps);
}

template <int V> __global__ void adam_update(struct adam_args a)
{
    const size_t i = ((size_t)blockIdx.x * BLOCK + threadIdx.x) * V;
    const struct update u = *a.now;
    if (isnan(u.scale))
        return;
    if (i + V <= a.n) {
        floats<V> w = load<V>(a.w + i), m = load<V>(a.m + i), v = load<V>(a.v + i);
        const floats<V> g = load<V>(a.grad + i);
        for (int k = 0; k < V; k++)
            adam(a, u, &w.v[k], &m.v[k], &v.v[k], g.v[k]);
        store<V>(a.w + i, w);
        store<V>(a.m + i, m);
        store<V>(a.v + i, v);
    } else {
        for (size_t k = i; k < a.n; k++)
            adam(a, u, a.w + k, a.m + k, a.v + k, a.grad[k]);
    }
}

static __device__ __forceinline__ void sgd(const struct sgd_args &a, const struct update &u,
                                           float *w, float *m, float grad)
{
    const float g = u.scale * grad, step = m ? a.momentum * *m + g : g;
    if (m)
        *m = step;
    *w = *w - u.lr * a.decay * *w - u.lr * step;
}

template <int V> __global__ void sgd_update(struct sgd_args a)
{
    const size_t i = ((size_t)blockIdx.x * BLOCK + threadIdx.x) * V;
    const struct update u = *a.now;
    if (isnan(u.scale))
        return;
    if (i + V <= a.n) {
        floats<V> w = load<V>(a.w + i), m = a.m ? load<V>(a.m + i) : w;
        const floats<V> g = load<V>(a.grad + i);
        for (int k = 0; k < V; k++)
            sgd(a, u, &w.v[k], a.m ? &m.v[k] : nullptr, g.v[k]);
        store<V>(a.w + i, w);
        if (a.m)
            store<V>(a.m + i, m);
    } else {
        for (size_t k = i; k < a.n; k++)
            sgd(a, u, a.w + k, a.m ? a.m + k : nullptr, a.grad[k]);
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

struct plain {
    __device__ __forceinline__ double operator()(float x) const { return x; }
};

struct square {
    __device__ __forceinline__ double operator()(float x) const { return (double)x * x; }
};

template <class F> __global__ void sum_partial(const float *x, size_t n, F f, double *partial)
{
    double sum = 0;
    for (size_t i = (size_t)blockIdx.x * BLOCK + threadIdx.x; i < n; i += (size_t)gridDim.x * BLOCK)
        sum += f(x[i]);
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        partial[blockIdx.x] = sum;
}

__global__ void sum_total(int n, const double *partial, double *total)
{
    double sum = 0;
    for (int i = threadIdx.x; i < n; i += BLOCK)
        sum += partial[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        *total = sum;
}

template <class F> static void sum_of(const float *x, size_t n, F f, double *sum)
{
    const unsigned blocks = n < 512 * BLOCK ? blocks_for(n + !n, BLOCK) : 512;
    double *partial = (double *)cuda_scratch(SCRATCH_SUMS, sizeof(double) * blocks);
    LAUNCH(sum_partial<F>, blocks, BLOCK, 0, x, n, f, partial);
    LAUNCH(sum_total, 1, BLOCK, 0, (int)blocks, partial, sum);
}

extern "C" void cuda_sum(const float *x, size_t n, double *sum)
{
    sum_of(x, n, plain(), sum);
}

extern "C" void cuda_sum_squares(const float *x, size_t n, double *sum)
{
    sum_of(x, n, square(), sum);
}

__global__ void settle(struct update *u, const double *losses, int n, double clip)
{
    settle_update(u, losses, n, clip);
}

extern "C" void cuda_settle(struct update *u, const double *losses, int n, double clip)
{
    LAUNCH(settle, 1, 1, 0, u, losses, n, clip);
}
