/* reduce.c - sums over sequences (kernels/reduce.h): each row by itself, then the rows in order. */
#include "kernels/cpu/numbers.h"
#include "kernels/scratch.h"
#include <math.h>

/* A result for each of n rows. */
static void *row_results(int n, size_t each)
{
    return scratch(SCRATCH_SHARED, (size_t)n * each / sizeof(float));
}

/* Two passes, as in norm.c. */
static struct sums row_sums(const struct tensor *xs, const struct tensor *withs, int r)
{
    const int c = xs->cols;
    float *room = scratch(SCRATCH_ROWS, 2 * (size_t)c);
    const float *x = open_row(xs, xs->data, r, room);
    const float *with = withs ? open_row(withs, withs->data, r, room + c) : NULL;
    double plain = 0, absolute = 0, squares = 0, product = 0, deviations = 0, largest = 0;
    #pragma omp simd reduction(+:plain, absolute, squares) reduction(max:largest)
    for (int i = 0; i < c; i++) {
        const double v = (double)x[i], a = fabs(v);
        plain += v;
        absolute += a;
        squares += v * v;
        largest = a > largest ? a : largest;
    }
    const double mean = plain / c;
    #pragma omp simd reduction(+:deviations)
    for (int i = 0; i < c; i++)
        deviations += ((double)x[i] - mean) * ((double)x[i] - mean);
    if (with) {
        #pragma omp simd reduction(+:product)
        for (int i = 0; i < c; i++)
            product += (double)x[i] * (double)with[i];
    }
    return (struct sums){plain, absolute, squares, product, .row_deviations = deviations,
                         .largest = isnan(absolute) ? absolute : largest};
}

/* Deviations from the mean of all are those within rows and those of the rows' own means. */
static struct sums add_rows(const struct sums *row, int n, int c)
{
    struct sums s = {0};
    for (int r = 0; r < n; r++) {
        s.plain += row[r].plain;
        s.absolute += row[r].absolute;
        s.squares += row[r].squares;
        s.product += row[r].product;
        s.row_deviations += row[r].row_deviations;
        s.largest = larger(s.largest, row[r].largest);
    }
    const double mean = s.plain / ((double)n * c);
    for (int r = 0; r < n; r++) {
        const double off = row[r].plain / c - mean;
        s.deviations += row[r].row_deviations + c * off * off;
    }
    return s;
}

void KERNEL(sums)(const struct tensor *x, const struct tensor *with, struct sequences w,
                  struct sums *to)
{
    const int n = w.n * w.time, c = x->cols;
    struct sums *of = row_results(n, sizeof *of);
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL)
    for (int r = 0; r < n; r++)
        of[r] = row_sums(x, with, r);
    for (int k = 0; k < w.n; k++)
        to[k] = add_rows(of + (size_t)k * (size_t)w.time, w.time, c);
}

/* Of row r of all sequences. */
static struct welford row_welford(const struct tensor *x, struct sequences w, int r, long long n,
                                  double *restrict means)
{
    float *room = scratch(SCRATCH_ROWS, (size_t)x->cols);
    double deviations = 0, squares = 0;
    for (int k = 0; k < w.n; k++) {
        const float *now = open_row(x, x->data, k * w.time + r, room);
        const double share = 1 / (double)(n + k + 1);
        #pragma omp simd reduction(+:deviations)
        for (int i = 0; i < x->cols; i++) {
            const double off = (double)now[i] - means[i], mean = means[i] + off * share;
            deviations += off * ((double)now[i] - mean);
            means[i] = mean;
        }
    }
    #pragma omp simd reduction(+:squares)
    for (int i = 0; i < x->cols; i++)
        squares += means[i] * means[i];
    return (struct welford){deviations, squares};
}

void KERNEL(welford)(const struct tensor *x, struct sequences w, long long n, double *means,
                     struct welford *to)
{
    struct welford *of = row_results(w.time, sizeof *of), all = {0};
    #pragma omp parallel for if ((size_t)w.time * (size_t)x->cols > PARALLEL)
    for (int r = 0; r < w.time; r++)
        of[r] = row_welford(x, w, r, n, means + (size_t)r * (size_t)x->cols);
    for (int r = 0; r < w.time; r++) {
        all.deviations += of[r].deviations;
        all.squares += of[r].squares;
    }
    *to = all;
}

static double row_variance(const float *x, int c, int center)
{
    double sum = 0, squares = 0;
    if (center) {
        #pragma omp simd reduction(+:sum)
        for (int i = 0; i < c; i++)
            sum += (double)x[i];
    }
    const double mean = sum / c;
    #pragma omp simd reduction(+:squares)
    for (int i = 0; i < c; i++)
        squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    return squares / c;
}

static struct ellipsoid row_ellipsoid(const struct norm_args *a, int r)
{
    const int c = a->x->cols;
    float *room = scratch(SCRATCH_ROWS, 2 * (size_t)c);
    const float *x = open_row(a->x, a->x->data, r, room);
    const float *y = open_row(a->y, a->y->data, r, room + c);
    const float *gain = a->gain ? a->gain->data : NULL, *bias = a->bias ? a->bias->data : NULL;
    const double v = row_variance(x, c, a->center), lemma = v / (v + (double)a->eps);
    double squares = 0, sum = 0;
    #pragma omp simd reduction(+:squares, sum)
    for (int i = 0; i < c; i++) {
        const double h = ((double)y[i] - (bias ? (double)bias[i] : 0))
                       / (gain ? (double)gain[i] : 1);
        squares += h * h;
        sum += h;
    }
    return (struct ellipsoid){squares / c, lemma, fabs(squares / c - lemma), fabs(sum) / c};
}

static struct ellipsoid add_ellipsoids(const struct ellipsoid *row, int n)
{
    struct ellipsoid e = {0};
    for (int r = 0; r < n; r++) {
        e.q += row[r].q;
        e.lemma += row[r].lemma;
        e.error = larger(e.error, row[r].error);
        e.plane = larger(e.plane, row[r].plane);
    }
    return e;
}

void KERNEL(ellipsoid)(const struct norm_args *a, struct sequences w, struct ellipsoid *to)
{
    const int n = w.n * w.time;
    struct ellipsoid *of = row_results(n, sizeof *of);
    #pragma omp parallel for if ((size_t)n * (size_t)a->x->cols > PARALLEL)
    for (int r = 0; r < n; r++)
        of[r] = row_ellipsoid(a, r);
    for (int k = 0; k < w.n; k++)
        to[k] = add_ellipsoids(of + (size_t)k * (size_t)w.time, w.time);
}

static double row_support(const struct tensor *ps, int r, const float *gain, const float *bias)
{
    const int c = ps->cols;
    const float *p = open_row(ps, ps->data, r, scratch(SCRATCH_ROWS, (size_t)c));
    double squares = 0, along = 0;
    #pragma omp simd reduction(+:squares, along)
    for (int i = 0; i < c; i++) {
        const double scaled = (gain ? (double)gain[i] : 1) * (double)p[i];
        squares += scaled * scaled;
        along += bias ? (double)p[i] * (double)bias[i] : 0;
    }
    return sqrt(c * squares) - along;
}

void KERNEL(support)(const struct tensor *p, const struct tensor *gain, const struct tensor *bias,
                     struct sequences w, double *to)
{
    const int n = w.n * w.time;
    double *of = row_results(n, sizeof *of);
    #pragma omp parallel for if ((size_t)n * (size_t)p->cols > PARALLEL)
    for (int r = 0; r < n; r++)
        of[r] = row_support(p, r, gain ? gain->data : NULL, bias ? bias->data : NULL);
    for (int k = 0; k < w.n; k++) {
        to[k] = 0;
        for (int r = 0; r < w.time; r++)
            to[k] += of[(size_t)k * (size_t)w.time + (size_t)r];
    }
}
