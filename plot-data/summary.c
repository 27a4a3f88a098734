#include "plot-data/summary.h"
#include "base/base.h"
#include <math.h>
#include <stdlib.h>

/* The share of Student's distribution within (-t, t): Abramowitz and Stegun 26.7.3 and 26.7.4. */
static double share_within(double t, size_t v)
{
    const double angle = atan(t / sqrt((double)v)), c = cos(angle), s = sin(angle);
    double term = v % 2 ? c : 1, sum = 0;
    for (size_t k = v % 2 ? 1 : 0; k + 2 <= v; k += 2) {
        sum += term;
        term *= c * c * (double)(k + 1) / (double)(k + 2);
    }
    return v % 2 ? (angle + s * sum) * 2 / M_PI : s * sum;
}

double student_t(double p, size_t v)
{
    double low = 0, high = 1;
    while (share_within(high, v) < p)
        high *= 2;
    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2;
        *(share_within(middle, v) < p ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

static int by_place(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->y != y->y)
        return x->y - y->y;
    if (x->x != y->x)
        return x->x < y->x ? -1 : 1;
    if (isnan(x->value) || isnan(y->value))
        return !!isnan(x->value) - !!isnan(y->value);
    return (x->value > y->value) - (x->value < y->value);   /* one sum for any order of files */
}

static struct point summary_of(const struct sample *v, size_t n)
{
    static size_t t_of;         /* most points have as many samples as the one before */
    static double t;
    struct point p = {v->group, v->y, v->x, 0, 0, NAN, NAN, NAN, NAN, NAN, NAN};
    double sum = 0, squares = 0;

    for (size_t i = 0; i < n; i++) {
        if (isnan(v[i].value)) {
            p.diverged++;
            continue;
        }
        p.n++;
        sum += v[i].value;
        p.min = fmin(p.min, v[i].value);
        p.max = fmax(p.max, v[i].value);
    }
    if (p.n)
        p.mean = sum / (double)p.n;
    if (p.n < 2)
        return p;
    for (size_t i = 0; i < n; i++)
        if (!isnan(v[i].value))
            squares += (v[i].value - p.mean) * (v[i].value - p.mean);
    p.sd = sqrt(squares / (double)(p.n - 1));
    if (t_of != p.n) {
        t_of = p.n;
        t = student_t(0.95, p.n - 1);
    }
    p.low = p.mean - t * p.sd / sqrt((double)p.n);
    p.high = p.mean + t * p.sd / sqrt((double)p.n);
    return p;
}

struct point *summarise(struct samples *s, size_t *n)
{
    struct point *points = NULL;
    *n = 0;
    if (s->n)
        qsort(s->all, s->n, sizeof *s->all, by_place);
    for (size_t i = 0, next; i < s->n; i = next) {
        const struct sample *v = &s->all[i];
        for (next = i + 1; next < s->n && s->all[next].group == v->group && s->all[next].y == v->y
             && s->all[next].x == v->x;)
            next++;
        points = grow(points, *n, sizeof *points);
        points[(*n)++] = summary_of(v, next - i);
    }
    return points;
}
