/* bf16.h - numbers in bfloat16 on the host: the upper half of an f32. */
#pragma once
#include <stdint.h>

static inline float bf16_widen(uint16_t x)
{
    const union { uint32_t bits; float f; } u = {(uint32_t)x << 16};
    return u.f;
}

/* To the nearest, to even on a tie; a nan stays one. */
static inline uint16_t bf16_narrow(float x)
{
    const union { float f; uint32_t bits; } u = {x};
    return x != x ? 0x7fff : (uint16_t)((u.bits + 0x7fff + (u.bits >> 16 & 1)) >> 16);
}
