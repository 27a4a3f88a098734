/* intrinsics.h - atomics, cached loads and stores, single instructions. */
#pragma once
#include "cuda_on_cpu.h"

/* Atomics (not inlined: the checker must not see them as plain accesses). */
template <class T, class F>
__attribute__((noinline, no_sanitize("thread"))) T emu_rmw(T *p, F f)
{
    emu_note_access(p, sizeof(T), true, true, EMU_PC);
    T old = *p;     /* blocks run one by one and fibers do not switch here */
    *p = f(old);
    return old;
}

template <class T>
static inline T atomicAdd(T *p, T v)
{
    return emu_rmw(p, [=](T o) { return (T)(o + v); });
}

template <class T>
static inline T atomicMin(T *p, T v)
{
    return emu_rmw(p, [=](T o) { return v < o ? v : o; });
}

/* Cached loads and stores, intrinsics. */
template <class T>
static inline T __ldg(const T *p)
{
    return *p;
}

template <class T>
static inline T __ldcs(const T *p)
{
    return *p;
}

template <class T>
static inline void __stcs(T *p, T v)
{
    *p = v;
}

#define __expf(x) expf(x)     /* macros: glibc declares these names for itself */
#define __logf(x) logf(x)
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
template <class D, class S>
static inline D emu_bits(S s)
{
    D d;
    static_assert(sizeof d == sizeof s, "");
    memcpy(&d, &s, sizeof d);
    return d;
}

static inline unsigned __float_as_uint(float f) { return emu_bits<unsigned>(f); }
static inline int __float_as_int(float f) { return emu_bits<int>(f); }
static inline float __uint_as_float(unsigned u) { return emu_bits<float>(u); }
static inline float __int_as_float(int u) { return emu_bits<float>(u); }
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __clz(unsigned x) { return x ? __builtin_clz(x) : 32; }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
