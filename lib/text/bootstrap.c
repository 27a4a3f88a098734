#include "text/bootstrap.h"
#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double quantile(double *v, size_t n, double q)
{
    qsort(v, n, sizeof *v, by_value);
    const double at = q * (double)(n - 1), low = floor(at), part = at - low;
    const size_t i = (size_t)low;
    if (i + 1 >= n)
        return v[n - 1];
    /* numpy's form, which is exact at both ends */
    return part < 0.5 ? v[i] + (v[i + 1] - v[i]) * part
                      : v[i + 1] - (v[i + 1] - v[i]) * (1 - part);
}

struct spread spread_of(double *v, size_t n)
{
    struct spread s = {0};
    qsort(v, n, sizeof *v, by_value);
    for (size_t i = 0; i < n; i++)
        s.mean += v[i] / (double)n;
    s.low = v[n / 40];
    s.high = v[n - n / 40 - 1];
    s.half = (s.high - s.low) / 2;
    return s;
}
