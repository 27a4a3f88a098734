/* cuda_on_cpu.h - enough of CUDA C++ for g++ and clang++ to compile .cu files as they are and
 * run them on the CPU.  One CUDA thread is one fiber; the threads of a block switch at barriers
 * and warp collectives; blocks run one by one.  Builds: plain; with ASan and UBSan; EMU_CHECK
 * (kernel files with -fsanitize=thread, whose calls come to our own check.cc). */
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <tuple>
#include <type_traits>
#define CUDA_ON_CPU 1
#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#if defined(__SANITIZE_ADDRESS__)
#define __shared__ static                  /* ASan puts red zones round each array */
#else
#define __shared__ static thread_local     /* one range, which shared.cc can fill and name */
#endif
#define DYN_SHARED(T, name) T *name = static_cast<T *>(emu_dynamic_shared())

struct uint2 { unsigned x, y; };
struct uint3 { unsigned x, y, z; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct float3 { float x, y, z; };
struct alignas(16) float4 { float x, y, z, w; };
static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
static inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w)
{
    return {x, y, z, w};
}

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

/* const: from one thread's view they never change, so the compiler may keep them across a barrier
 * (and tsan skips them) */
extern const uint3 threadIdx, blockIdx, blockDim, gridDim;
static constexpr int warpSize = 32;

/* What the emulator does for the language (collect.cc, launch.cc, shared.cc, check.cc). */
#define EMU_PC __builtin_return_address(0)

/* A call's place is its source line: compilers copy calls about, so that a return address
 * does not identify one. */
struct EmuSite {
    const char *file;
    int line;
};
#define EMU_HERE EmuSite at = {__builtin_FILE(), __builtin_LINE()}

enum EmuOp {
    EMU_SHFL, EMU_UP, EMU_DOWN, EMU_XOR,    /* shuffles first */
    EMU_BALLOT, EMU_ANY, EMU_ALL, EMU_SYNCWARP, EMU_CALL
};
enum EmuRed { EMU_BAR, EMU_BAR_COUNT, EMU_BAR_AND, EMU_BAR_OR };

void *emu_dynamic_shared();
int emu_barrier(EmuRed red, int pred, EmuSite at);
uint64_t emu_warp(EmuOp op, unsigned mask, uint64_t in, int arg, int width, EmuSite at);
/* f runs once, by the last lane, with every lane's arg. */
void emu_warp_call(unsigned mask, void (*f)(void *arg[32], unsigned mask), void *arg, EmuSite at);
void emu_run(void (*thunk)(void *), void *arg, size_t arg_size, dim3 grid, dim3 block, size_t smem,
             const char *name);
void emu_note_access(const void *p, size_t n, bool write, bool atomic, const void *pc);
void emu_cp_async(void *dst, const void *src, int n, int valid);
void emu_cp_async_commit();
void emu_cp_async_wait(int pending);
