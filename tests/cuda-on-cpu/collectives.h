/* collectives.h - barriers, shuffles and votes. */
#pragma once
#include "cuda_on_cpu.h"

static inline void __syncthreads(EMU_HERE) { emu_barrier(EMU_BAR, 0, at); }
static inline int __syncthreads_count(int p, EMU_HERE) { return emu_barrier(EMU_BAR_COUNT, p, at); }
static inline int __syncthreads_and(int p, EMU_HERE) { return emu_barrier(EMU_BAR_AND, p, at); }
static inline int __syncthreads_or(int p, EMU_HERE) { return emu_barrier(EMU_BAR_OR, p, at); }
static inline void __syncwarp(unsigned m = 0xffffffffu, EMU_HERE)
{
    emu_warp(EMU_SYNCWARP, m, 0, 0, 32, at);
}

template <class T>
static inline T emu_shfl(EmuOp op, unsigned m, T v, int a, int w, EmuSite at)
{
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable<T>::value,
                  "shuffle of more than 8 bytes");
    uint64_t u = 0;
    memcpy(&u, &v, sizeof v);
    u = emu_warp(op, m, u, a, w, at);
    memcpy(&v, &u, sizeof v);
    return v;
}

template <class T>
static inline T __shfl_sync(unsigned m, T v, int l, int w = 32, EMU_HERE)
{
    return emu_shfl(EMU_SHFL, m, v, l, w, at);
}

template <class T>
static inline T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32, EMU_HERE)
{
    return emu_shfl(EMU_UP, m, v, d, w, at);
}

template <class T>
static inline T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32, EMU_HERE)
{
    return emu_shfl(EMU_DOWN, m, v, d, w, at);
}

template <class T>
static inline T __shfl_xor_sync(unsigned m, T v, int x, int w = 32, EMU_HERE)
{
    return emu_shfl(EMU_XOR, m, v, x, w, at);
}

static inline unsigned __ballot_sync(unsigned m, int p, EMU_HERE)
{
    return emu_warp(EMU_BALLOT, m, p != 0, 0, 32, at);
}

static inline int __any_sync(unsigned m, int p, EMU_HERE)
{
    return emu_warp(EMU_ANY, m, p != 0, 0, 32, at);
}

static inline int __all_sync(unsigned m, int p, EMU_HERE)
{
    return emu_warp(EMU_ALL, m, p != 0, 0, 32, at);
}

unsigned __activemask(EMU_HERE);     /* not meaningful here: reported as an error */
