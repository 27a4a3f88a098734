/* vmath.h - exp and its kin without branches, so that a loop over them becomes
 * vector code.  NaN stays NaN and overflow becomes inf: a diverged run stays diverged. */
#pragma once
#include <stdint.h>
#include <string.h>

static inline float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/* e^x within 2 ulp, denormal results included.  x = n log 2 + r; the polynomial is
 * Cephes' expf; 2^n is applied in two halves, which n beyond the exponent's range needs. */
static inline float exp_float(float x)
{
    const float round = 0x1.8p23f;          /* adding it leaves the nearest integer low */
    float y = x < -105 ? -105 : x;
    y = y > 89 ? 89 : y;
    const float t = y * 1.44269504f + round, n = t - round;
    const float r = y - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1;
    const int32_t i = (int32_t)(bits_of(t) - bits_of(round)), half = i >> 1;
    return p * float_of(((uint32_t)half + 127) << 23)
             * float_of(((uint32_t)(i - half) + 127) << 23);
}

/* The normal distribution function Phi(x) and its density phi(x), within 4 ulp for |x| < 4.
 * With z = |x| and t = 1 / (1 + 0.26 z): Phi(-z) = exp(-z^2 / 2) t P(t), P a minimax fit on
 * [0, 14.5] of relative error 3e-8. */
static inline float normal_float(float x, float *density)
{
    const float z = x < 0 ? -x : x, e = exp_float(-0.5f * x * x), t = 1 / (1 + 0.26f * z);
    float p = 0.03023030050098896f;
    p = p * t - 0.15149444341659546f;
    p = p * t + 0.24873320758342743f;
    p = p * t - 0.1477893441915512f;
    p = p * t + 0.1587587594985962f;
    p = p * t + 0.05196481943130493f;
    p = p * t + 0.10278867930173874f;
    p = p * t + 0.10305097699165344f;
    p = p * t + 0.10375702381134033f;
    const float tail = e * t * p;
    *density = 0.3989422804f * e;
    return x < 0 ? tail : 1 - tail;
}

/* The logistic function s(x) = 1 / (1 + e^-x), exact in both tails, and its slope s (1 - s). */
static inline float logistic_float(float x, float *slope)
{
    const float e = exp_float(x < 0 ? x : -x), big = 1 / (1 + e), small = e * big;
    *slope = big * small;
    return x < 0 ? small : big;
}

/* x rounded to bf16 (to nearest, ties to even), still as a float; NaN stays NaN. */
static inline uint32_t bf16_bits(float x)
{
    const uint32_t b = bits_of(x), rounded = b + 0x7fff + (b >> 16 & 1);
    return x != x ? (b | 0x400000) >> 16 : rounded >> 16;
}

static inline float bf16_round(float x)
{
    return float_of(bf16_bits(x) << 16);
}
