/* cuda.cuh - what the CUDA kernels share: launches, error checks, sums over a warp and a block. */
#pragma once
extern "C" {
#include "base/base.h"
#include "kernels/backend.h"
}
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <stdint.h>

/* Stop at the first CUDA error, naming the call that met it. */
#define CUDA(call)                                                                        \
    do {                                                                                  \
        const cudaError_t error_ = (call);                                                \
        if (error_ != cudaSuccess)                                                        \
            die("%s:%d: %s: %s", __FILE__, __LINE__, #call, cudaGetErrorString(error_));  \
    } while (0)

extern cudaStream_t cuda_stream;    /* everything runs in it, in order */

/* Device memory that lasts until the next call for the same use; its old contents are gone. */
enum scratch {
    SCRATCH_SUMS, SCRATCH_LINKS, SCRATCH_DELTA, SCRATCH_LEFT, SCRATCH_RIGHT, SCRATCH_ROWS,
    SCRATCH_GRADIENT, SCRATCH_USES
};
void *cuda_scratch(enum scratch use, size_t bytes);
extern unsigned cuda_scratch_moves;     /* how often some of it got another address */

/* LAUNCH and DYN_SHARED are all that a kernel source pays to run on the CPU too
 * (tests/cuda-on-cpu): no other line holds <<< >>> or extern __shared__. */
#ifdef __CUDACC__
#define DYN_SHARED(type, name)                                      \
    extern __shared__ __align__(16) unsigned char dynamic_shared[]; \
    type *name = reinterpret_cast<type *>(dynamic_shared)

template <class... P, class... A>
static void launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, A &&...args)
{
    kernel<<<grid, block, shared, cuda_stream>>>(static_cast<P>(args)...);
}
#define LAUNCH(kernel, grid, block, shared, ...) \
    (launch(kernel, grid, block, shared, __VA_ARGS__), launched(__FILE__, __LINE__, #kernel))
#else
#define LAUNCH(kernel, grid, block, shared, ...)                           \
    (emu_launch(kernel, grid, block, shared, cuda_stream, __VA_ARGS__),    \
     launched(__FILE__, __LINE__, #kernel))
#endif

static inline void launched(const char *file, int line, const char *kernel)
{
    const cudaError_t error = cudaGetLastError();
    if (error != cudaSuccess)
        die("%s:%d: launch of %s: %s", file, line, kernel, cudaGetErrorString(error));
}

enum { WARP = 32, WARPS = 8, BLOCK = WARP * WARPS };
#define FULL 0xffffffffu            /* all lanes of a warp */

static inline unsigned blocks_for(size_t n, size_t each)
{
    return (unsigned)((n + each - 1) / each);
}

/* Kernels compute in f32.  What they load and store is f32 or bf16, from one template: T. */
typedef __nv_bfloat16 bf16;

/* V floats that are computed with at once. */
template <int V> struct alignas(4 * V) floats {
    float v[V];
};

/* V numbers as they lie in memory, in one piece. */
template <int V, class T> struct alignas(sizeof(T) * V) stored {
    T v[V];
};

template <int V, class T> static __device__ __forceinline__ floats<V> load(const T *p)
{
    const stored<V, T> s = *reinterpret_cast<const stored<V, T> *>(p);
    floats<V> x;
    for (int i = 0; i < V; i++)
        x.v[i] = float(s.v[i]);
    return x;
}

template <int V, class T> static __device__ __forceinline__ void store(T *p, floats<V> x)
{
    stored<V, T> s;
    for (int i = 0; i < V; i++)
        s.v[i] = T(x.v[i]);
    *reinterpret_cast<stored<V, T> *>(p) = s;
}

/* What is added to: nothing yet where it is fresh. */
template <int V, class T>
static __device__ __forceinline__ floats<V> load_old(const T *p, bool fresh)
{
    return fresh ? floats<V>{} : load<V>(p);
}

/* t's data and gradient as what they are. */
template <class T> static inline T *data_of(const struct tensor *t)
{
    return reinterpret_cast<T *>(t->data);
}

template <class T> static inline T *grad_of(const struct tensor *t)
{
    return reinterpret_cast<T *>(t->grad);
}

/* The f32 numbers of a gain, a bias. */
static inline const float *data_or_null(const struct tensor *t)
{
    return t ? t->data : nullptr;
}

/* f(T()), T what t's numbers are stored as. */
template <class F> static inline void by_storage(const struct tensor *t, F f)
{
    if (t->storage == STORAGE_BF16)
        f(bf16());
    else
        f(float());
}

/* Whether rows of t can be read 4 numbers at a time from p (its data or its gradient). */
static inline bool in_fours(const struct tensor *t, const void *p)
{
    const int bytes = t->storage == STORAGE_BF16 ? 8 : 16;
    return t->cols % 4 == 0 && t->ld % 4 == 0 && (uintptr_t)p % bytes == 0;
}

/* Sum over the warp, the same in every lane and in every run. */
template <class T> static __device__ __forceinline__ T warp_sum(T x)
{
    for (int m = WARP / 2; m; m /= 2)
        x += __shfl_xor_sync(FULL, x, m);
    return x;
}

static __device__ __forceinline__ float warp_max(float x)
{
    for (int m = WARP / 2; m; m /= 2)
        x = fmaxf(x, __shfl_xor_sync(FULL, x, m));
    return x;
}

/* Sum over the block, valid in thread 0. */
static __device__ __forceinline__ double block_sum(double x)
{
    __shared__ double part[WARPS];
    const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    x = warp_sum(x);
    if (lane == 0)
        part[warp] = x;
    __syncthreads();
    if (threadIdx.x == 0)
        for (int w = 1; w < WARPS; w++)
            x += part[w];
    return x;
}
