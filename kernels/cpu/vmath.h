/* vmath.h - vectors of floats as wide as the level has them; exp and its kin.
 * NaN stays NaN and overflow becomes inf: a diverged run stays diverged. */
#pragma once
#include "kernels/bf16.h"
#include <stdint.h>
#include <string.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

static inline float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

#if defined __AVX512F__
enum { LANES = 16 };                /* floats in a vector */
#elif defined __AVX__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

typedef float vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE vec splat(float x) { return (vec){0} + x; }
INLINE vec load(const float *x) { return *(const vec *)x; }
INLINE void store(float *x, vec v) { *(vec *)x = v; }

/* The first n numbers, the rest `fill`; and storing n. */
INLINE vec load_part(const float *x, int n, float fill)
{
#ifdef __AVX512F__
    return (vec)_mm512_mask_loadu_ps(_mm512_set1_ps(fill), (__mmask16)((1u << n) - 1), x);
#else
    vec v = splat(fill);
    for (int i = 0; i < n; i++)
        v[i] = x[i];
    return v;
#endif
}
INLINE void store_part(float *x, vec v, int n)
{
#ifdef __AVX512F__
    _mm512_mask_storeu_ps(x, (__mmask16)((1u << n) - 1), (__m512)v);
#else
    for (int i = 0; i < n; i++)
        x[i] = v[i];
#endif
}

/* a where the mask (of a comparison) is set, else b. */
INLINE vec pick(ivec mask, vec a, vec b)
{
    return (vec)((mask & (ivec)a) | (~mask & (ivec)b));
}

/* x, at least / at most that; NaN stays. */
INLINE vec at_least(vec x, float least)
{
#ifdef __AVX512F__
    return (vec)_mm512_max_ps(_mm512_set1_ps(least), (__m512)x);
#else
    return pick(x < splat(least), splat(least), x);
#endif
}
INLINE vec at_most(vec x, float most)
{
#ifdef __AVX512F__
    return (vec)_mm512_min_ps(_mm512_set1_ps(most), (__m512)x);
#else
    return pick(x > splat(most), splat(most), x);
#endif
}

/* The larger; a NaN in b is passed over. */
INLINE vec larger_vec(vec a, vec b)
{
#ifdef __AVX512F__
    return (vec)_mm512_max_ps((__m512)b, (__m512)a);
#else
    return pick(b > a, b, a);
#endif
}

INLINE float sum_of(vec v)
{
#ifdef __AVX512F__
    return _mm512_reduce_add_ps((__m512)v);
#else
    float part[LANES];
    store(part, v);
    for (int w = LANES / 2; w; w /= 2)
        for (int i = 0; i < w; i++)
            part[i] += part[i + w];
    return part[0];
#endif
}

INLINE float largest_of(vec v)
{
#ifdef __AVX512F__
    return _mm512_reduce_max_ps((__m512)v);
#else
    float top = v[0];
    for (int i = 1; i < LANES; i++)
        top = v[i] > top ? v[i] : top;
    return top;
#endif
}

/* e^x within 2 ulp, denormal results included.  x = n log 2 + r; the polynomial is
 * Cephes' expf; 2^n is applied in two halves, which n beyond the exponent's range needs. */
INLINE vec exp_vec(vec x)
{
    const float round = 0x1.8p23f;          /* adding it leaves the nearest integer low */
    const vec y = at_most(at_least(x, -105), 89);
    const vec t = y * 1.44269504f + round, n = t - round;
    const vec r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
    vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + (r + 1);
#ifdef __AVX512F__
    return (vec)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    const ivec i = (ivec)t - (int32_t)0x4b400000, half = i >> 1;
    return p * (vec)((half + 127) << 23) * (vec)((i - half + 127) << 23);
#endif
}

/* 2^x within 3 ulp, 0 where that is no normal number (subnormals are flushed: backend.c). */
INLINE vec exp2_vec(vec x)
{
    vec y = at_least(x, -127);
#ifdef __AVX512F__
    const vec r = (vec)_mm512_reduce_ps((__m512)y, 0), n = y - r;
#else
    y = at_most(y, 128);
    const float round = 0x1.8p23f;
    const vec t = y + round, n = t - round, r = y - n;
#endif
    vec p = r * 1.326472731e-3f + 9.671512991e-3f;
    p = p * r + 5.550733581e-2f;
    p = p * r + 2.402224243e-1f;
    p = p * r + 6.931470037e-1f;
    p = p * r + 1;
#ifdef __AVX512F__
    return (vec)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    return p * (vec)(((ivec)t - (0x4b400000 - 127)) << 23);
#endif
}

/* The normal distribution function Phi(x) and its density phi(x), within 4 ulp for |x| < 4.
 * With z = |x| and t = 1 / (1 + 0.26 z): Phi(-z) = exp(-z^2 / 2) t P(t), P a minimax fit on
 * [0, 14.5] of relative error 3e-8. */
INLINE vec normal_vec(vec x, vec *density)
{
    const vec z = larger_vec(x, -x), e = exp_vec(x * x * -0.5f), t = 1 / (z * 0.26f + 1);
    vec p = t * 0.03023030050098896f - 0.15149444341659546f;
    p = p * t + 0.24873320758342743f;
    p = p * t - 0.1477893441915512f;
    p = p * t + 0.1587587594985962f;
    p = p * t + 0.05196481943130493f;
    p = p * t + 0.10278867930173874f;
    p = p * t + 0.10305097699165344f;
    p = p * t + 0.10375702381134033f;
    const vec tail = e * t * p;
    *density = e * 0.3989422804f;
    return pick(x < splat(0), tail, 1 - tail);
}

/* The logistic function s(x) = 1 / (1 + e^-x), exact in both tails, and its slope s (1 - s). */
INLINE vec logistic_vec(vec x, vec *slope)
{
    const vec e = exp_vec(-larger_vec(x, -x)), big = 1 / (e + 1), small = e * big;
    *slope = big * small;
    return pick(x < splat(0), small, big);
}

/* x rounded to bf16, still as a float. */
static inline float bf16_round(float x)
{
    return bf16_widen(bf16_narrow(x));
}

/* A vector for a product in that precision. */
INLINE vec rounded(int bf16, vec x)
{
    const ivec b = (ivec)x, up = b + 0x7fff + (b >> 16 & 1);
    return bf16 ? pick(x != x, x, (vec)(up & (int32_t)0xffff0000)) : x;
}

typedef uint16_t hvec __attribute__((vector_size(2 * LANES), aligned(2), may_alias));
typedef uint32_t uvec __attribute__((vector_size(4 * LANES)));

/* Numbers in bf16; and storing so, to the nearest. */
INLINE vec load_bf16(const uint16_t *x)
{
#ifdef __AVX512F__
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)x));
    return (vec)_mm512_slli_epi32(wide, 16);
#else
    return (vec)(__builtin_convertvector(*(const hvec *)x, uvec) << 16);
#endif
}
INLINE void store_bf16(uint16_t *x, vec v)
{
#ifdef __AVX512BF16__
    *(hvec *)x = (hvec)_mm512_cvtneps_pbh((__m512)v);
#else
    const vec r = pick(v != v, splat(float_of(0x7fff0000)), rounded(1, v));
    *(hvec *)x = __builtin_convertvector((uvec)r >> 16, hvec);
#endif
}
