/* optimise.cu - the optimisers' one pass over memory, and the gradient's norm. */
#include "kernels/cuda/cuda.cuh"
#include "kernels/settle.h"

static bool fours(const float *a, const float *b, const float *c, const float *d)
{
    return (((uintptr_t)a | (uintptr_t)b | (uintptr_t)c | (uintptr_t)d) & 15) == 0;
}

/* Number i and those after it into the copy in bf16, if there is one. */
template <int V>
static __device__ __forceinline__ void store_narrow(uint16_t *narrow, size_t i, floats<V> w)
{
    if (narrow)
        store<V>(reinterpret_cast<bf16 *>(narrow) + i, w);
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
        store_narrow<V>(a.narrow, i, w);
    } else {
        for (size_t k = i; k < a.n; k++) {
            adam(a, u, a.w + k, a.m + k, a.v + k, a.grad[k]);
            store_narrow<1>(a.narrow, k, load<1>(a.w + k));
        }
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
        store_narrow<V>(a.narrow, i, w);
    } else {
        for (size_t k = i; k < a.n; k++) {
            sgd(a, u, a.w + k, a.m ? a.m + k : nullptr, a.grad[k]);
            store_narrow<1>(a.narrow, k, load<1>(a.w + k));
        }
    }
}

extern "C" void cuda_adam(const struct adam_args *a)
{
    if (!a->n)
        return;
    const bool four = fours(a->w, a->m, a->v, a->grad) && (uintptr_t)a->narrow % 8 == 0;
    LAUNCH(four ? adam_update<4> : adam_update<1>, blocks_for(a->n, BLOCK * (four ? 4 : 1)), BLOCK,
           0, *a);
}

extern "C" void cuda_sgd(const struct sgd_args *a)
{
    if (!a->n)
        return;
    const bool four = fours(a->w, a->m, a->grad, nullptr) && (uintptr_t)a->narrow % 8 == 0;
    LAUNCH(four ? sgd_update<4> : sgd_update<1>, blocks_for(a->n, BLOCK * (four ? 4 : 1)), BLOCK,
           0, *a);
}

template <int V> __global__ void narrow_numbers(size_t n, const float *from, bf16 *to)
{
    const size_t i = ((size_t)blockIdx.x * BLOCK + threadIdx.x) * V;
    if (i + V <= n)
        store<V>(to + i, load<V>(from + i));
    else
        for (size_t k = i; k < n; k++)
            to[k] = bf16(from[k]);
}

extern "C" void cuda_narrow(uint16_t *to, const float *from, size_t n)
{
    const bool four = fours(from, nullptr, nullptr, nullptr) && (uintptr_t)to % 8 == 0;
    LAUNCH(four ? narrow_numbers<4> : narrow_numbers<1>, blocks_for(n, BLOCK * (four ? 4 : 1)),
           BLOCK, 0, n, from, (bf16 *)to);
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
