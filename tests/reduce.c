/* reduce [DEVICE] - the sums over sequences of kernels/reduce.h, on every level of the CPU that
 * this machine has or on that device, against plain loops in long double; in f32, and in bf16 where
 * the backend stores so.
 *
 * Both sum up to 17 * 200 numbers in f64: TOLERANCE of what is summed is thousands of roundings. */
#include "base/base.h"
#include "tests/host_face.h"
#include "tests/tap.h"
#include <math.h>
#include <omp.h>
#include <string.h>

static const double TOLERANCE = 1e-12;
enum { WINDOWS = 3, SPARE = 5 };        /* SPARE numbers between the rows of a padded matrix */

static const struct backend *be;
static enum storage storage;
static unsigned state;

static double uniform(void)             /* [-1, 1) */
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) * 0x1p-23 - 1;
}

/* Numbers about a mean, as they are stored; nan between the rows. */
static struct tensor *numbers(int rows, int cols, int spare, double mean, enum storage stored)
{
    struct tensor *t = zalloc(1, sizeof *t);
    *t = (struct tensor){.rows = rows, .cols = cols, .ld = cols + spare, .storage = stored};
    t->data = zalloc((size_t)rows * (size_t)t->ld, sizeof(float));
    for (int i = 0; i < rows * t->ld; i++) {
        const float x = i % t->ld < cols ? (float)(mean + uniform()) : NAN;
        t->data[i] = stored == STORAGE_BF16 ? bf16_widen(bf16_narrow(x)) : x;
    }
    return t;
}

static void drop(struct tensor *t)
{
    free(t->data);
    free(t);
}

static long double at(const struct tensor *t, int r, int i)
{
    return t->data[r * t->ld + i];
}

static double apart(double got, long double want, long double size)
{
    const long double gap = fabsl(got - want) / (size + 1e-30L);
    return isnan(gap) ? INFINITY : (double)gap;
}

static double worst(double a, double b)
{
    return a > b ? a : b;
}

/* A window's, from row `first`. */
static double sums_error(const struct tensor *x, const struct tensor *with, int first, int n,
                         const struct sums *s)
{
    const int d = x->cols;
    long double plain = 0, absolute = 0, squares = 0, product = 0, products = 0, most = 0;
    long double rows = 0, all = 0;
    for (int r = first; r < first + n; r++)
        for (int i = 0; i < d; i++) {
            const long double v = at(x, r, i), u = with ? at(with, r, i) : 0;
            plain += v, absolute += fabsl(v), squares += v * v;
            product += u * v, products += fabsl(u * v);
            most = fmaxl(most, fabsl(v));
        }
    for (int r = first; r < first + n; r++) {
        long double mean = 0;
        for (int i = 0; i < d; i++)
            mean += at(x, r, i) / d;
        for (int i = 0; i < d; i++) {
            const long double off = at(x, r, i) - plain / (n * d);
            rows += (at(x, r, i) - mean) * (at(x, r, i) - mean);
            all += off * off;
        }
    }
    double e = worst(apart(s->plain, plain, absolute), apart(s->absolute, absolute, absolute));
    e = worst(e, worst(apart(s->squares, squares, squares), apart(s->product, product, products)));
    e = worst(e, worst(apart(s->row_deviations, rows, rows + 1), apart(s->largest, most, most)));
    return worst(e, apart(s->deviations, all, all + 1));
}

static void test_sums(int time, int d, int spare, enum storage other)
{
    struct tensor *x = numbers(WINDOWS * time, d, spare, 0.3, storage);
    struct tensor *with = numbers(WINDOWS * time, d, 0, -0.1, other);
    struct sums alone[WINDOWS], beside[WINDOWS];
    double error = 0;
    be->sums(x, NULL, (struct sequences){WINDOWS, time}, alone);
    be->sums(x, with, (struct sequences){WINDOWS, time}, beside);
    for (int w = 0; w < WINDOWS; w++) {
        error = worst(error, sums_error(x, NULL, w * time, time, &alone[w]));
        error = worst(error, sums_error(x, with, w * time, time, &beside[w]));
    }
    ok(error < TOLERANCE, "%s sums of [%d, %d]%s: %.1e", be->name, time, d,
       storage || other ? ", bf16" : "", error);
    drop(x), drop(with);
}

/* Passes of 2, 1 and 3 windows. */
static void test_welford(int time, int d, int spare)
{
    enum { PASSES = 3, ALL = 6 };
    static const int sizes[PASSES] = {2, 1, 3};
    struct tensor *x = numbers(ALL * time, d, spare, 2, storage);
    double *means = zalloc((size_t)(time * d), sizeof *means), added = 0;
    long double deviations = 0, squares = 0;
    struct welford now = {0};
    for (int pass = 0, seen = 0; pass < PASSES; seen += sizes[pass++]) {
        struct tensor part = *x;
        part.rows = sizes[pass] * time;
        part.data += seen * time * x->ld;
        be->welford(&part, (struct sequences){sizes[pass], time}, seen, means, &now);
        added += now.deviations;
    }
    for (int r = 0; r < time; r++)
        for (int i = 0; i < d; i++) {
            long double mean = 0;
            for (int w = 0; w < ALL; w++)
                mean += at(x, w * time + r, i) / ALL;
            for (int w = 0; w < ALL; w++)
                deviations += powl(at(x, w * time + r, i) - mean, 2);
            squares += mean * mean;
        }
    const double error = worst(apart(added, deviations, deviations),
                               apart(now.squares, squares, squares));
    ok(error < TOLERANCE, "%s welford of [%d, %d]%s: %.1e", be->name, time, d,
       storage ? ", bf16" : "", error);
    free(means);
    drop(x);
}

static double ellipsoid_error(const struct norm_args *a, int first, int n,
                              const struct ellipsoid *e)
{
    const int d = a->x->cols;
    long double q = 0, lemma = 0, error = 0, plane = 0;
    for (int r = first; r < first + n; r++) {
        long double mean = 0, v = 0, squares = 0, sum = 0;
        for (int i = 0; i < d && a->center; i++)
            mean += at(a->x, r, i) / d;
        for (int i = 0; i < d; i++) {
            const long double b = a->bias ? at(a->bias, 0, i) : 0;
            const long double h = (at(a->y, r, i) - b) / (a->gain ? at(a->gain, 0, i) : 1);
            v += powl(at(a->x, r, i) - mean, 2) / d;
            squares += h * h / d, sum += h / d;
        }
        const long double now = v / (v + (long double)a->eps);
        q += squares, lemma += now;
        error = fmaxl(error, fabsl(squares - now)), plane = fmaxl(plane, fabsl(sum));
    }
    return worst(worst(apart(e->q, q, q), apart(e->lemma, lemma, lemma + 1)),
                 worst(apart(e->error, error, q + lemma), apart(e->plane, plane, q + 1)));
}

static void test_ellipsoid(int time, int d, int spare, enum storage other)
{
    for (int kind = 0; kind < 4; kind++) {      /* bit 0: gain and bias; bit 1: center */
        struct tensor *gain = numbers(1, d, 0, 2, STORAGE_F32), *bias = numbers(1, d, 0, 0.5, 0);
        struct tensor *x = numbers(WINDOWS * time, d, spare, 0.3, storage);
        struct tensor *y = numbers(WINDOWS * time, d, 0, 0, other);
        const struct norm_args a = {.x = x, .y = y, .gain = kind & 1 ? gain : NULL,
                                    .bias = kind & 1 ? bias : NULL, .eps = 0.1f,
                                    .center = kind >> 1};
        struct ellipsoid e[WINDOWS];
        double error = 0;
        be->ellipsoid(&a, (struct sequences){WINDOWS, time}, e);
        for (int w = 0; w < WINDOWS; w++)
            error = worst(error, ellipsoid_error(&a, w * time, time, &e[w]));
        ok(error < TOLERANCE, "%s ellipsoid of [%d, %d], kind %d%s: %.1e", be->name, time, d, kind,
           storage || other ? ", bf16" : "", error);
        drop(x), drop(y), drop(gain), drop(bias);
    }
}

static void test_support(int time, int d, int spare)
{
    struct tensor *p = numbers(WINDOWS * time, d, spare, 0.1, storage);
    struct tensor *gain = numbers(1, d, 0, 2, STORAGE_F32), *bias = numbers(1, d, 0, 0.5, 0);
    double got[2][WINDOWS], error = 0;
    be->support(p, gain, bias, (struct sequences){WINDOWS, time}, got[0]);
    be->support(p, NULL, NULL, (struct sequences){WINDOWS, time}, got[1]);
    for (int w = 0; w < WINDOWS; w++)
        for (int bare = 0; bare < 2; bare++) {
            long double most = 0, size = 0;
            for (int r = w * time; r < (w + 1) * time; r++) {
                long double squares = 0, along = 0;
                for (int i = 0; i < d; i++) {
                    squares += powl((bare ? 1 : at(gain, 0, i)) * at(p, r, i), 2);
                    along += bare ? 0 : at(p, r, i) * at(bias, 0, i);
                }
                most += sqrtl(d * squares) - along;
                size += sqrtl(d * squares);
            }
            error = worst(error, apart(got[bare][w], most, size));
        }
    ok(error < TOLERANCE, "%s support of [%d, %d]%s: %.1e", be->name, time, d,
       storage ? ", bf16" : "", error);
    drop(p), drop(gain), drop(bias);
}

static void test_sizes(enum storage other)
{
    static const struct { int time, d, spare; } sizes[] = {
        {1, 1, 0}, {1, 33, 2}, {17, 31, 0}, {17, 200, SPARE}, {5, 64, 0},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        test_sums(sizes[i].time, sizes[i].d, sizes[i].spare, other);
        test_ellipsoid(sizes[i].time, sizes[i].d, sizes[i].spare, other);
        if (other != storage)
            continue;
        test_welford(sizes[i].time, sizes[i].d, sizes[i].spare);
        test_support(sizes[i].time, sizes[i].d, sizes[i].spare);
    }
}

/* More rows than a block has threads. */
static void test_many_rows(void)
{
    enum { ROWS = 300, D = 3 };
    struct tensor *x = numbers(ROWS, D, 0, 0, storage);
    struct sums s;
    be->sums(x, NULL, (struct sequences){1, ROWS}, &s);
    const double error = sums_error(x, NULL, 0, ROWS, &s);
    ok(error < TOLERANCE, "%s sums of [%d, %d]: %.1e", be->name, ROWS, D, error);
    drop(x);
}

static void test_not_finite(void)
{
    enum { D = 12 };
    struct tensor *x = numbers(2, D, 0, 0, STORAGE_F32);
    struct sums s[2];
    x->data[D + 3] = NAN;
    be->sums(x, NULL, (struct sequences){2, 1}, s);
    ok(isfinite(s[0].deviations) && isnan(s[1].plain) && isnan(s[1].absolute)
       && isnan(s[1].squares) && isnan(s[1].row_deviations) && isnan(s[1].deviations)
       && isnan(s[1].largest), "%s a nan in a window is a nan in all its sums", be->name);
    x->data[D + 3] = INFINITY;
    be->sums(x, NULL, (struct sequences){1, 2}, s);
    ok(isinf(s->absolute) && isinf(s->largest) && !isfinite(s->deviations), "%s so is an inf",
       be->name);
    struct ellipsoid e;
    const struct norm_args a = {.x = x, .y = x, .eps = 1, .center = 1};
    be->ellipsoid(&a, (struct sequences){1, 2}, &e);
    ok(isnan(e.error) && isinf(e.plane), "%s and in an ellipsoid", be->name);
    drop(x);
}

/* Mean 1000, deviation 0.29: one pass in f32 gives a negative variance. */
static void test_far_from_zero(void)
{
    struct tensor *x = numbers(10, 100, 0, 0, STORAGE_F32);
    struct sums s;
    for (int i = 0; i < 1000; i++)
        x->data[i] = (float)(1000 + i / 1000.0);
    be->sums(x, NULL, (struct sequences){1, 10}, &s);
    ok(fabs(s.deviations / 999 / 0.0834166 - 1) < 1e-4 && fabs(s.plain / 1000 - 1000.4995) < 1e-3,
       "%s variance far from zero: %.7g", be->name, s.deviations / 999);
    drop(x);
}

/* Enough for several threads. */
static void test_threads(void)
{
    enum { TIME = 64, D = 600 };
    struct tensor *x = numbers(WINDOWS * TIME, D, 0, 0.3, STORAGE_F32);
    struct sums s[3][WINDOWS];
    for (int threads = 1; threads <= 3; threads++) {
        omp_set_num_threads(threads);
        be->sums(x, x, (struct sequences){WINDOWS, TIME}, s[threads - 1]);
    }
    ok(!memcmp(s[0], s[1], sizeof *s) && !memcmp(s[0], s[2], sizeof *s),
       "%s the same bits at 1, 2, 3 threads", be->name);
    drop(x);
}

int main(int argc, char **argv)
{
    program = "reduce";
    for (int i = 0; (be = tested_backend(argc, argv, i)); i++) {
        const enum storage last = be->narrows ? STORAGE_BF16 : STORAGE_F32;
        state = 0;
        for (storage = STORAGE_F32; storage <= last; storage++) {
            for (enum storage other = STORAGE_F32; other <= last; other++)
                test_sizes(other);
            test_many_rows();
        }
        test_not_finite();
        test_far_from_zero();
        test_threads();
    }
    return tap_end();
}
