#include "measure/eigen.h"
#include <math.h>

enum { MOST = 64 };

/* Rotate rows and columns i and k of a so that a[i][k] becomes 0; the same columns of v. */
static void rotate(double *a, double v[][MOST], int n, int ld, int i, int k)
{
    const double theta = (a[k * ld + k] - a[i * ld + i]) / (2 * a[i * ld + k]);
    const double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
    const double c = 1 / sqrt(t * t + 1), s = t * c;

    for (int r = 0; r < n; r++) {
        const double x = a[r * ld + i], y = a[r * ld + k];
        a[r * ld + i] = c * x - s * y;
        a[r * ld + k] = s * x + c * y;
    }
    for (int r = 0; r < n; r++) {
        const double x = a[i * ld + r], y = a[k * ld + r];
        a[i * ld + r] = c * x - s * y;
        a[k * ld + r] = s * x + c * y;
    }
    for (int r = 0; r < n; r++) {
        const double x = v[r][i], y = v[r][k];
        v[r][i] = c * x - s * y;
        v[r][k] = s * x + c * y;
    }
}

double symmetric_top(double *a, int n, int ld, double *vector)
{
    double v[MOST][MOST] = {{0}};
    int top = 0;

    for (int i = 0; i < n; i++)
        v[i][i] = 1;
    for (int sweep = 0; sweep < 30; sweep++)
        for (int i = 0; i < n; i++)
            for (int k = i + 1; k < n; k++)
                if (fabs(a[i * ld + k]) > 1e-16 * (fabs(a[i * ld + i]) + fabs(a[k * ld + k])))
                    rotate(a, v, n, ld, i, k);
    for (int i = 1; i < n; i++)
        if (a[i * ld + i] > a[top * ld + top])
            top = i;
    for (int i = 0; i < n; i++)
        vector[i] = v[i][top];
    return a[top * ld + top];
}
