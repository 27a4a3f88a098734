/* reduce.h - what is summed over states and gradients, for measuring: in f64, in one fixed order.
 *
 * A matrix holds sequences of `time` rows, one after another, of which the first n are taken.
 * Each has a result of its own, in the backend's memory; welford() has one of all.  A nan among
 * the numbers makes every result that takes it nan. */
#pragma once
#include "kernels/both.h"

struct sequences {
    int n, time;
};

/* Of a sequence's numbers x.  Results are doubles: first those that are added over rows, then those
 * of which the largest counts. */
struct sums {
    double plain, absolute, squares;
    double product;             /* of x * with; 0 without it */
    double row_deviations;      /* of (x - mean of its row)^2, */
    double deviations;          /* (x - mean of all)^2 */
    double largest;             /* |x| */
};

/* The mean m of each entry of a sequence over all sequences up to now (Welford 1962). */
struct welford {
    double deviations;          /* what these add to the sum of (x - m)^2 over all sequences */
    double squares;             /* of m, after them */
};

/* A norm's output y beside its input x, row by row: with h = (y - bias) / gain and v the variance
 * of x (without `center` its mean square), both over cols, mean(h^2) is v / (v + eps). */
struct ellipsoid {
    double q, lemma;            /* sums of mean(h^2) and of v / (v + eps) */
    double error;               /* the largest |mean(h^2) - v / (v + eps)| */
    double plane;               /* |mean(h)| */
};

/* support(): the sum over rows of the largest <-p, y> for y on that ellipsoid, v / (v + eps) = 1:
 *   sqrt(cols) ||gain p|| - <p, bias>. */

/* The larger of two; nan when either is. */
static inline __host__ __device__ double larger(double a, double b)
{
    return a >= b || a != a ? a : b;
}
