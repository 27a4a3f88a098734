#include "measure/ellipsoid.h"
#include "measure/moments.h"
#include <math.h>
#include <stddef.h>

/* v / (v + eps) of one token. */
static double lemma_of(const float *x, int d, double eps, int center)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < d && center; i++)
        sum += x[i];
    for (int i = 0; i < d; i++)
        squares += (x[i] - sum / d) * (x[i] - sum / d);
    return squares / d / (squares / d + eps);
}

struct ellipsoid ellipsoid_of(const float *x, const float *z, const float *gain,
                              const float *bias, int n, int d, double eps, int center)
{
    struct ellipsoid e = {0};
    for (int r = 0; r < n; r++, x += d, z += d) {
        const double lemma = lemma_of(x, d, eps, center);
        double squares = 0, sum = 0;
        for (int i = 0; i < d; i++) {
            const double h = (z[i] - (bias ? bias[i] : 0.0)) / (gain ? gain[i] : 1.0);
            squares += h * h;
            sum += h;
        }
        e.q += squares / d / n;
        e.lemma += lemma / n;
        e.error = larger(e.error, fabs(squares / d - lemma));
        e.plane = larger(e.plane, fabs(sum) / d);
    }
    if (!center)
        e.plane = NAN;
    return e;
}
