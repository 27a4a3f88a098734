/* moments.h - moments of a hidden state X [n, d], window by window, summed in f64.
 * A nan or inf in X makes every moment that takes it nan or inf. */
#pragma once

/* The larger of two; nan when either is. */
double larger(double a, double b);

/* Of one window. */
struct moments {
    double mean, ma;        /* sums of X and |X| over nd */
    double var_entry;       /* of all nd entries, over nd - 1 */
    double var_token;       /* of a token's d entries, over d; the mean over tokens */
    double fro;             /* ||X||_F / sqrt(nd) */
    double max_abs;
};
struct moments moments_of(const float *x, int n, int d);

/* The variance of each entry over windows (Welford's running means). */
struct spread {
    double *means;          /* [n, d] */
    double squares;         /* of deviations from them, over all entries */
    long long windows;
};
void spread_add(struct spread *s, const float *x, int n, int d);
/* Over windows - 1, the mean over entries; nan for a single window. */
double spread_variance(const struct spread *s, int n, int d);
void spread_free(struct spread *s);

/* ||a||_F and the cosine of two states as vectors. */
double norm_of_state(const float *a, int n, int d);
double cosine_of_states(const float *a, const float *b, int n, int d);
