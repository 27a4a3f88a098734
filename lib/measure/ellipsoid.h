/* ellipsoid.h - Lemma 1 of Kan et al.: what a norm puts out lies on an ellipsoid.
 *
 * With h = (z - bias) / gain, q = sum of h^2 / d is v / (v + eps) for every token, v the biased
 * variance of the norm's input (for RMSNorm its mean square); and LayerNorm's h sum to 0. */
#pragma once

struct ellipsoid {
    double q, lemma;        /* means over tokens of q and of v / (v + eps) */
    double error;           /* largest |q - v / (v + eps)| of a token */
    double plane;           /* largest |sum of h| / d of a token; nan for RMSNorm */
};

/* One norm: inputs x and outputs z [n, d]; gain and bias [d] or NULL; center 1 for LayerNorm. */
struct ellipsoid ellipsoid_of(const float *x, const float *z, const float *gain,
                              const float *bias, int n, int d, double eps, int center);
