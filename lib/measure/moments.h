/* moments.h - moments of a hidden state X [n, d], from its sums (kernels/reduce.h).
 * A nan or inf in X makes every moment that takes it nan or inf. */
#pragma once
#include "kernels/backend.h"

/* Of one window. */
struct moments {
    double mean, ma;        /* sums of X and |X| over nd */
    double var_entry;       /* of all nd entries, over nd - 1 */
    double var_token;       /* of a token's d entries, over d; the mean over tokens */
    double fro;             /* ||X||_F / sqrt(nd) */
    double max_abs;
};
struct moments moments_of(const struct sums *s, int n, int d);

/* Of a whole tensor of the backend, brought here. */
struct sums sums_of(const struct backend *be, const struct tensor *t);
