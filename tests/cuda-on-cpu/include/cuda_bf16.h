#pragma once
#include "../intrinsics.h"
struct __nv_bfloat16 {
    uint16_t u;
    __nv_bfloat16() = default;
    __nv_bfloat16(float f)
    {  /* round to nearest even; NaN becomes 0x7fff, as cuda_bf16.h has it */
        uint32_t b = emu_bits<uint32_t>(f);
        u = f != f ? 0x7fff : (b + 0x7fff + (b >> 16 & 1)) >> 16;
    }
    operator float() const { return emu_bits<float>((uint32_t)u << 16); }
};

struct alignas(4) __nv_bfloat162 {
    __nv_bfloat16 x, y;
};

static inline __nv_bfloat16 __float2bfloat16(float f) { return __nv_bfloat16(f); }
static inline __nv_bfloat16 __float2bfloat16_rn(float f) { return __nv_bfloat16(f); }
static inline float __bfloat162float(__nv_bfloat16 b) { return b; }
static inline __nv_bfloat162 __floats2bfloat162_rn(float a, float b) { return {a, b}; }
static inline float2 __bfloat1622float2(__nv_bfloat162 v) { return {v.x, v.y}; }
