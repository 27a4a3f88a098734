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
static const double BF16 = 1.0 / 256 / 2e-4;    /* what rounding to bf16 errs by, times the sum */
static const float GUARD = 12352;       /* lies between the columns of c */

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

/* [rows, k] of a, or of b turned, as doubles. */
static double *wide(const struct factor *x, int rows, int k, int turned)
{
    double *out = zalloc((size_t)rows * (size_t)k, sizeof *out);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < k; j++) {
            float room;
            const int row = turned ? j : i, col = turned ? i : j;
            out[i * k + j] = (double)*open_numbers(numbers_from(x->x, row, col), 1, &room);
        }
    return out;
}

static double dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The largest error of c, of the sums of a's rows, or infinity where a guard changed. */
static double error(const struct product *q, const float *was, const float *sums_were)
{
    double worst = 0, *a = wide(&q->a, q->m, q->k, q->a.turned);
    double *b = wide(&q->b, q->n, q->k, !q->b.turned);
    for (int i = 0; i < q->m; i++) {
        double rows = q->sums ? (double)sums_were[i] : 0;
        for (int j = 0; j < q->c.ld; j++) {
            double sum = j < q->n ? q->add ? (double)was[i * q->c.ld + j] : 0 : (double)GUARD;
            sum += j < q->n ? dot(a + i * q->k, b + j * q->k, q->k) : 0;
            if (q->bias && !q->add && j < q->n)
                sum += (double)q->bias[j];
            float room;
            const double c = (double)*open_numbers(numbers_from(q->c, i, j), 1, &room);
            worst = fmax(worst, fabs(sum - c) / (q->c.narrow ? BF16 * fmax(1, fabs(sum)) : 1));
        }
        for (int k = 0; k < q->k; k++)
            rows += a[i * q->k + k];
        if (q->sums)
            worst = fmax(worst, fabs(rows - (double)q->sums[i]) / 16);
    }
    free(a), free(b);
    return worst;
}

/* What a product is given: b once more in bf16 as well, as in a frozen plan; or a, b, c stored in
 * bf16. */
enum { FROZEN = 1, NARROW_A = 2, NARROW_B = 4, NARROW_C = 8 };

/* The n numbers x in storage of their own. */
static struct numbers stored(const float *x, size_t n, int ld, int narrow)
{
    const struct numbers to = {zalloc(n, sizeof *x), ld, narrow};
    store_numbers(to, (int)n, x);
    return to;
}

static void check(struct product q, int turned_a, int turned_b, int with_sums, unsigned how)
{
    const int even = how & NARROW_A && q.k % 2 == 0;        /* rows that begin at a float */
    const int lda = (turned_a ? q.m : q.k) + (even ? 2 : 3), ldb = (turned_b ? q.k : q.n) + 1;
    const size_t size = (size_t)q.m * (size_t)(q.n + 5);
    const size_t size_a = (size_t)lda * (size_t)(turned_a ? q.k : q.m);
    const size_t size_b = (size_t)ldb * (size_t)(turned_b ? q.n : q.k);
    float *a = numbers(size_a), *b = numbers(size_b);
    float *was = numbers(size), *bias = numbers((size_t)q.n), *sums = numbers((size_t)q.m);
    float *sums_were = zalloc((size_t)q.m, sizeof *sums_were);
    float *halves = how & FROZEN ? numbers((size_t)q.n * (size_t)half_ld(q.k) / 2) : NULL;

    for (size_t i = 0; i < size; i++)
        if ((int)i % (q.n + 5) >= q.n)
            was[i] = GUARD;
    q.a = (struct factor){stored(a, size_a, lda, (how & NARROW_A) > 0), turned_a};
    q.b = (struct factor){stored(b, size_b, ldb, (how & NARROW_B) > 0), turned_b};
    q.c = stored(was, size, q.n + 5, (how & NARROW_C) > 0);
    q.bias = bias, q.sums = with_sums ? sums : NULL;
    if (how & FROZEN)
        halve(&(struct tensor){.rows = q.n, .cols = q.k, .ld = ldb, .data = b}, halves);
    q.halves = halves;
    memcpy(sums_were, sums, (size_t)q.m * sizeof *sums);
    product(&q);
    const double e = error(&q, was, sums_were);
    ok(e < TOLERANCE, "%s %s [%d, %d] over %d%s%s%s%s%s%s%s: %.1e", level,
       q.precision ? "bf16" : "f32", q.m, q.n, q.k, turned_a ? ", left turned" : "",
       turned_b ? ", right turned" : "", q.add ? ", added" : "",
       how & FROZEN ? ", in bf16 before" : "", how & NARROW_A ? ", left in bf16" : "",
       how & NARROW_B ? ", right in bf16" : "", how & NARROW_C ? ", to bf16" : "", e);
    free(halves), free(a), free(b), free(was), free(bias), free(sums), free(sums_were);
    free(q.a.x.at), free(q.b.x.at), free(q.c.at);
}

/* Products in f32 whose factors have all their 24 bits: what a factor of 16 bits would make of
 * them is 20 times the tolerance, which is f32's own rounding of a sum of 64. */
static void all_bits(void)
{
    enum { M = 260, N = 270, K = 64 };
    float *a = numbers(M * K), *b = numbers(N * K), *c = zalloc(M * N, sizeof *c);
    for (int i = 0; i < M * K; i++)
        a[i] *= 1 + (float)(i % 1013) * 0x1p-12f;
    for (int i = 0; i < N * K; i++)
        b[i] /= 3;
    struct product q = {.m = M, .n = N, .k = K, .a = {{a, K, 0}, 0}, .b = {{b, K, 0}, 1},
                        .c = {c, N, 0}};
    product(&q);
    const double e = error(&q, c, NULL);
    ok(e < 4e-6, "%s f32 with all its bits: %.1e", level, e);
    free(a), free(b), free(c);
}

/* A long sum of products that need rounding, many threads and few. */
static void same_bits(enum precision p, int m, int n)
{
    enum { K = 4096 };
    const size_t size = (size_t)(m * n);
    float *a = numbers((size_t)(K * m)), *b = numbers((size_t)(K * n));
    float *c = zalloc(3 * size, sizeof *c);
    for (int i = 0; i < K * m; i++)
        a[i] *= 0.3f;
    for (size_t t = 0; t < 3; t++) {
        omp_set_num_threads((int)t + 1);
        product(&(struct product){.precision = p, .m = m, .n = n, .k = K, .a = {{a, m, 0}, 1},
                                  .b = {{b, n, 0}, 0}, .c = {c + t * size, n, 0}});
    }
    ok(!memcmp(c, c + size, size * sizeof *c) && !memcmp(c, c + 2 * size, size * sizeof *c),
       "%s %s [%d, %d]: the same bits at 1, 2, 3 threads", level, p ? "bf16" : "f32", m, n);
    free(a), free(b), free(c);
}

static void check_level(const char *name, void (*f)(const struct product *),
                        void (*h)(const struct tensor *, float *))
{
    static const struct { int m, n, k; } sizes[] = {
        {1, 1, 1}, {2, 37, 1003}, {3, 50, 31}, {5, 48, 7}, {8, 48, 64}, {9, 33, 255}, {31, 64, 192},
        {33, 70, 386}, {64, 31, 257}, {17, 97, 3500}, {300, 96, 80}, {40, 500, 129},
        {64, 40, 448}, {257, 262, 70}, {270, 266, 900},
    };
    static const struct { int add, turned_a, turned_b; unsigned how; } forms[] = {
        {0, 0, 1, 0}, {1, 0, 0, 0}, {0, 1, 0, 0},           /* a linear's forward, dx, dw */
        {0, 0, 1, FROZEN}, {0, 0, 1, FROZEN | NARROW_A | NARROW_C},
        {0, 0, 1, NARROW_A | NARROW_C}, {1, 0, 0, NARROW_A | NARROW_C}, {0, 0, 0, NARROW_C},
        {0, 0, 1, NARROW_A}, {0, 0, 1, NARROW_B}, {0, 1, 0, NARROW_A | NARROW_B},
        {1, 1, 0, NARROW_B}, {0, 1, 0, NARROW_A},
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
            for (int form = 0; form < (int)(sizeof forms / sizeof *forms); form++) {
                const unsigned how = forms[form].how;
                if (how && p != PRECISION_BF16)
                    continue;
                check((struct product){.precision = p, .m = sizes[i].m, .n = sizes[i].n,
                                       .k = sizes[i].k, .add = forms[form].add},
                      forms[form].turned_a, forms[form].turned_b, forms[form].turned_a, how);
            }
        same_bits(p, 96, 150);
        same_bits(p, 280, 260);
    }
    all_bits();
}

int main(void)
{
    program = "product";
#define CHECK(name) check_level(#name, cpu_##name##_product, cpu_##name##_halve);
    LEVELS(CHECK)
    return tap_end();
}
