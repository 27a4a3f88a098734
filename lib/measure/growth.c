#include "measure/growth.h"
#include <math.h>

enum { TERMS = 3 };

/* Least squares by c[0] + c[1] t + ... of `terms` terms, t = i / (n - 1): Gauss's elimination
 * of the normal equations with the largest pivot. */
static void fit(const double *y, int n, int terms, double *c)
{
    double a[TERMS][TERMS + 1] = {{0}};
    for (int i = 0; i < n; i++) {
        const double t = (double)i / (n - 1);
        for (int r = 0; r < terms; r++) {
            for (int k = 0; k < terms; k++)
                a[r][k] += pow(t, r + k);
            a[r][terms] += pow(t, r) * y[i];
        }
    }
    for (int p = 0; p < terms; p++) {
        int best = p;
        for (int r = p + 1; r < terms; r++)
            best = fabs(a[r][p]) > fabs(a[best][p]) ? r : best;
        for (int k = 0; k <= terms; k++) {
            const double swap = a[p][k];
            a[p][k] = a[best][k];
            a[best][k] = swap;
        }
        for (int r = 0; r < terms; r++)
            for (int k = terms; k >= p && r != p; k--)
                a[r][k] -= a[r][p] / a[p][p] * a[p][k];
    }
    for (int r = 0; r < terms; r++)
        c[r] = a[r][terms] / a[r][r];
}

static double value(const double *c, int terms, double t)
{
    double v = 0;
    while (terms-- > 0)
        v = v * t + c[terms];
    return v;
}

/* 1 - residual / total sum of squares of y against the fit, or against e^fit. */
static double r_squared(const double *y, int n, const double *c, int terms, int is_log)
{
    double mean = 0, total = 0, rest = 0;
    for (int i = 0; i < n; i++)
        mean += y[i] / n;
    for (int i = 0; i < n; i++) {
        const double at = value(c, terms, (double)i / (n - 1));
        const double off = y[i] - (is_log ? exp(at) : at);
        total += (y[i] - mean) * (y[i] - mean);
        rest += off * off;
    }
    return 1 - rest / total;
}

struct growth growth_of(const double *y, int n)
{
    enum { MOST = 1024 };
    struct growth g = {NAN, NAN, NAN, NAN};
    double logs[MOST], c[TERMS];

    if (n < 2 || n > MOST)
        return g;
    for (int i = 0; i < n; i++) {
        if (!(y[i] > 0) || !isfinite(y[i]))
            return g;
        logs[i] = log(y[i]);
    }
    fit(logs, n, 2, c);
    g.rate = exp(c[1] / (n - 1)) - 1;
    if (n < 3)
        return g;
    g.exponential = r_squared(y, n, c, 2, 1);
    fit(y, n, 2, c);
    g.linear = r_squared(y, n, c, 2, 0);
    if (n > 3) {
        fit(y, n, 3, c);
        g.quadratic = r_squared(y, n, c, 3, 0);
    }
    return g;
}
