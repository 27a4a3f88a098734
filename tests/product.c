/* product - matrix products at every level this machine has against f64, in sizes that meet
 * every edge: of the blocks of registers, of the strips, of the depth that is packed at a time.
 *
 * The inputs are n / 64 with |n| <= 64, so bf16 holds them exactly, and so does f64 all sums.
 * An f32 sum of k products below 1 errs by some sqrt(k) 2^-24 times the sum's size, at most
 * sqrt(k): 2e-4 at the k of 3500. */
#include "base/base.h"
#include "kernels/backend.h"
#include "kernels/cpu/product.h"
#include "tests/tap.h"
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 2e-4;
static const float GUARD = 12345;       /* lies between the columns of c */

#define LEVELS(level) level(v2) level(v3) level(v4) level(v4bf16) level(v4amx)
#define DECLARE(name)                                 \
    void cpu_##name##_product(const struct product *); \
    void cpu_##name##_halve(const struct tensor *, float *);
LEVELS(DECLARE)

static void (*product)(const struct product *);
static void (*halve)(const struct tensor *, float *);
static const char *level;
static unsigned state = 1;

static float *numbers(size_t n)
{
    float *x = zalloc(n, sizeof *x);
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(int)(state >> 25) / 64 - 1;
    }
    return x;
}

static double at(const struct factor *x, int i, int j)
{
    return (double)(x->turned ? x->data[j * x->ld + i] : x->data[i * x->ld + j]);
}

/* The largest error of c, of the sums of a's rows, or infinity where a guard changed. */
static double error(const struct product *q, const float *was, const float *sums_were)
{
    double worst = 0;
    for (int i = 0; i < q->m; i++) {
        double rows = q->sums ? (double)sums_were[i] : 0;
        for (int j = 0; j < q->ldc; j++) {
            double sum = j < q->n ? q->add ? (double)was[i * q->ldc + j] : 0 : (double)GUARD;
            for (int k = 0; k < q->k && j < q->n; k++)
                sum += at(&q->a, i, k) * at(&q->b, k, j);
            if (q->bias && !q->add && j < q->n)
                sum += (double)q->bias[j];
            worst = fmax(worst, fabs(sum - (double)q->c[i * q->ldc + j]));
        }
        for (int k = 0; k < q->k; k++)
            rows += at(&q->a, i, k);
        if (q->sums)
            worst = fmax(worst, fabs(rows - (double)q->sums[i]) / 16);
    }
    return worst;
}

/* With `frozen` b is given in bf16, too. */
static void check(struct product q, int turned_a, int turned_b, int with_sums, int frozen)
{
    const int lda = (turned_a ? q.m : q.k) + 3, ldb = (turned_b ? q.k : q.n) + 1;
    const size_t size = (size_t)q.m * (size_t)(q.n + 5);
    float *a = numbers((size_t)lda * (size_t)(turned_a ? q.k : q.m));
    float *b = numbers((size_t)ldb * (size_t)(turned_b ? q.n : q.k));
    float *was = numbers(size), *bias = numbers((size_t)q.n), *sums = numbers((size_t)q.m);
    float *sums_were = zalloc((size_t)q.m, sizeof *sums_were);
    float *halves = frozen ? numbers((size_t)q.n * (size_t)half_ld(q.k) / 2) : NULL;

    q.a = (struct factor){a, lda, turned_a}, q.b = (struct factor){b, ldb, turned_b};
    q.ldc = q.n + 5, q.bias = bias, q.sums = with_sums ? sums : NULL;
    for (size_t i = 0; i < size; i++)
        if ((int)i % q.ldc >= q.n)
            was[i] = GUARD;
    if (frozen)
        halve(&(struct tensor){.rows = q.n, .cols = q.k, .ld = ldb, .data = b}, halves);
    q.halves = halves;
    q.c = zalloc(size, sizeof *q.c);
    memcpy(q.c, was, size * sizeof *was);
    memcpy(sums_were, sums, (size_t)q.m * sizeof *sums);
    product(&q);
    const double e = error(&q, was, sums_were);
    ok(e < TOLERANCE, "%s %s [%d, %d] over %d%s%s%s%s: %.1e", level, q.precision ? "bf16" : "f32",
       q.m, q.n, q.k, turned_a ? ", left turned" : "", turned_b ? ", right turned" : "",
       q.add ? ", added" : "", frozen ? ", in bf16 before" : "", e);
    free(halves), free(a), free(b), free(was), free(bias), free(sums), free(sums_were), free(q.c);
}

/* A long sum of products that need rounding, many threads and few. */
static void same_bits(enum precision p)
{
    enum { M = 96, N = 150, K = 4096 };
    float *a = numbers(K * M), *b = numbers(K * N), *c = zalloc(3 * M * N, sizeof *c);
    for (int i = 0; i < K * M; i++)
        a[i] *= 0.3f;
    for (int t = 0; t < 3; t++) {
        omp_set_num_threads(t + 1);
        product(&(struct product){p, M, N, K, {a, M, 1}, {b, N, 0}, c + t * M * N, N, NULL, 0,
                                  NULL, NULL});
    }
    ok(!memcmp(c, c + M * N, M * N * sizeof *c) && !memcmp(c, c + 2 * M * N, M * N * sizeof *c),
       "%s %s: the same bits at 1, 2, 3 threads", level, p ? "bf16" : "f32");
    free(a), free(b), free(c);
}

static void check_level(const char *name, void (*f)(const struct product *),
                        void (*h)(const struct tensor *, float *))
{
    static const struct { int m, n, k; } sizes[] = {
        {1, 1, 1}, {2, 37, 1003}, {3, 50, 31}, {5, 48, 7}, {8, 48, 64}, {9, 33, 255}, {31, 64, 192},
        {33, 70, 386}, {64, 31, 257}, {17, 97, 3500}, {300, 96, 80}, {40, 500, 129},
    };
    int here = 0;
    for (int i = 0; backend_level(i); i++)
        here |= !strcmp(backend_level(i), name);
    if (!here) {
        ok(1, "%s # skip not on this machine", name);
        return;
    }
    level = name, product = f, halve = h;
    for (enum precision p = PRECISION_F32; p <= PRECISION_BF16; p++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int form = 0; form < 3 + (p == PRECISION_BF16); form++)
                /* a linear's forward, dx, dw; forward of a frozen plan */
                check((struct product){.precision = p, .m = sizes[i].m, .n = sizes[i].n,
                                       .k = sizes[i].k, .add = form == 1},
                      form == 2, form == 0 || form == 3, form == 2, form == 3);
        same_bits(p);
    }
}

int main(void)
{
    program = "product";
#define CHECK(name) check_level(#name, cpu_##name##_product, cpu_##name##_halve);
    LEVELS(CHECK)
    return tap_end();
}
