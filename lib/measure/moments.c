#include "measure/moments.h"
#include "base/base.h"
#include <math.h>
#include <stdlib.h>

double larger(double a, double b)
{
    return a >= b || isnan(a) ? a : b;
}

/* Biased variance of one token. */
static double row_variance(const float *x, int d)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < d; i++)
        sum += x[i];
    for (int i = 0; i < d; i++)
        squares += (x[i] - sum / d) * (x[i] - sum / d);
    return squares / d;
}

struct moments moments_of(const float *x, int n, int d)
{
    const size_t size = (size_t)n * (size_t)d;
    double sum = 0, absolute = 0, squares = 0, deviations = 0, largest = 0, tokens = 0;

    for (size_t i = 0; i < size; i++) {
        const double v = x[i], a = fabs(v);
        sum += v;
        absolute += a;
        squares += v * v;
        largest = larger(largest, a);
    }
    const double mean = sum / (double)size;
    for (size_t i = 0; i < size; i++)
        deviations += (x[i] - mean) * (x[i] - mean);
    for (int r = 0; r < n; r++)
        tokens += row_variance(x + (size_t)r * (size_t)d, d);
    return (struct moments){
        .mean = mean, .ma = absolute / (double)size,
        .var_entry = size > 1 ? deviations / (double)(size - 1) : NAN,
        .var_token = tokens / n, .fro = sqrt(squares / (double)size),
        .max_abs = largest,
    };
}

void spread_add(struct spread *s, const float *x, int n, int d)
{
    const size_t size = (size_t)n * (size_t)d;
    if (!s->means)
        s->means = zalloc(size, sizeof *s->means);
    s->windows++;
    for (size_t i = 0; i < size; i++) {
        const double off = x[i] - s->means[i];
        s->means[i] += off / (double)s->windows;
        s->squares += off * (x[i] - s->means[i]);
    }
}

double spread_variance(const struct spread *s, int n, int d)
{
    return s->windows < 2 ? NAN : s->squares / ((double)(s->windows - 1) * n * d);
}

void spread_free(struct spread *s)
{
    free(s->means);
    *s = (struct spread){0};
}

static double dot(const float *a, const float *b, int n, int d)
{
    double sum = 0;
    for (size_t i = 0; i < (size_t)n * (size_t)d; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

double norm_of_state(const float *a, int n, int d)
{
    return sqrt(dot(a, a, n, d));
}

double cosine_of_states(const float *a, const float *b, int n, int d)
{
    return dot(a, b, n, d) / sqrt(dot(a, a, n, d) * dot(b, b, n, d));
}
