/* cuda.cuh - what the CUDA kernels share: launches, error checks, sums over a warp and a block. */
#pragma once
extern "C" {
#include "base/base.h"
#include "kernels/backend.h"
}
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
enum scratch { SCRATCH_SUMS, SCRATCH_LINKS, SCRATCH_DELTA, SCRATCH_USES };
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

/* V floats that are loaded and stored at once. */
template <int V> struct alignas(4 * V) floats {
    float v[V];
};

template <int V> static __device__ __forceinline__ floats<V> load(const float *p)
{
    return *reinterpret_cast<const floats<V> *>(p);
}

template <int V> static __device__ __forceinline__ void store(float *p, floats<V> x)
{
    *reinterpret_cast<floats<V> *>(p) = x;
}

/* What is added to: nothing yet where it is fresh. */
template <int V> static __device__ __forceinline__ floats<V> load_old(const float *p, bool fresh)
{
    return fresh ? floats<V>{} : load<V>(p);
}

/* Whether rows of t can be read 16 bytes at a time from p (its data or its gradient). */
static inline bool in_fours(const struct tensor *t, const float *p)
{
    return t->cols % 4 == 0 && t->ld % 4 == 0 && (uintptr_t)p % 16 == 0;
}

/* Sum over the warp, the same in every lane and in every run. */
static __device__ __forceinline__ float warp_sum(float x)
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
    for (int m = WARP / 2; m; m /= 2)
        x += __shfl_xor_sync(FULL, x, m);
    if (lane == 0)
        part[warp] = x;
    __syncthreads();
    if (threadIdx.x == 0)
        for (int w = 1; w < WARPS; w++)
            x += part[w];
    return x;
}
