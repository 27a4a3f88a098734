/* optim [DEVICE] - the optimisers' passes and the sum of squares, on every level of the CPU that
 * this machine has or on that device, against f64; sizes around the kernels' chunks.
 *
 * A dozen f32 roundings an update and 5 updates: 1e-5 relative to values of size 1. */
#include "base/base.h"
#include "kernels/backend.h"
#include "tests/host_face.h"
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 50000, UPDATES = 5 };

static const struct backend *be;
static int tests, failed;
static float w[MOST], m[MOST], v[MOST], grad[MOST];
static uint16_t narrow[MOST];
static double w64[MOST], m64[MOST], v64[MOST];

static void report(const char *name, size_t n, double error, double tolerance)
{
    const int good = error < tolerance;
    failed += !good;
    printf("%sok %d - %s %s, %zu: %.1e\n", good ? "" : "not ", ++tests, be->name, name, n, error);
}

static void fill(size_t n)
{
    unsigned state = 3;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        w[i] = (float)(state >> 8) * 0x1p-23f - 1;
        grad[i] = (float)(state >> 4 & 0xfffff) * 0x1p-19f - 1;
        w64[i] = (double)w[i];
        m[i] = v[i] = 0;
        m64[i] = v64[i] = 0;
    }
}

static double worst(size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double error = fabs((double)w[i] - w64[i]);
        most = error > most || isnan(error) ? error : most;
    }
    return most;
}

static uint16_t *narrow_for(void)
{
    return be->narrow ? narrow : NULL;
}

/* The copy in bf16 is what the parameters round to. */
static void check_narrow(size_t n)
{
    double wrong = 0;
    for (size_t i = 0; i < n && be->narrow; i++)
        wrong += narrow[i] != bf16_narrow(w[i]);
    if (be->narrow)
        report("the copy in bf16", n, wrong, 0.5);
}

static void adam(size_t n)
{
    const double lr = 0.1, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, decay = 0.1, scale = 0.5;
    fill(n);
    for (int t = 1; t <= UPDATES; t++) {
        const double correct1 = 1 - pow(beta1, t), correct2 = 1 - pow(beta2, t);
        const struct update now = {.lr = (float)lr, .correct1 = (float)correct1,
                                   .correct2 = (float)correct2, .scale = (float)scale};
        be->adam(&(struct adam_args){w, m, v, grad, n, (float)beta1, (float)beta2, (float)eps,
                                     (float)decay, &now, narrow_for()});
        for (size_t i = 0; i < n; i++) {
            const double g = scale * (double)grad[i];
            m64[i] = beta1 * m64[i] + (1 - beta1) * g;
            v64[i] = beta2 * v64[i] + (1 - beta2) * g * g;
            w64[i] -= lr * decay * w64[i]
                    + lr * (m64[i] / correct1) / (sqrt(v64[i] / correct2) + eps);
        }
    }
    report("adam", n, worst(n), 1e-5);
    check_narrow(n);
}

static void sgd(size_t n, int has_momentum)
{
    const double lr = 0.1, momentum = has_momentum ? 0.9 : 0, decay = 0.1, scale = 0.5;
    fill(n);
    for (int t = 1; t <= UPDATES; t++) {
        const struct update now = {.lr = (float)lr, .scale = (float)scale};
        be->sgd(&(struct sgd_args){w, has_momentum ? m : NULL, grad, n, (float)momentum,
                                   (float)decay, &now, narrow_for()});
        for (size_t i = 0; i < n; i++) {
            m64[i] = momentum * m64[i] + scale * (double)grad[i];
            w64[i] -= lr * decay * w64[i] + lr * m64[i];
        }
    }
    report(has_momentum ? "sgd with momentum" : "sgd", n, worst(n), 1e-5);
    check_narrow(n);
}

static void sums(size_t n)
{
    double want = 0, plain = 0, got[3], sum;
    fill(n);
    for (size_t i = 0; i < n; i++) {
        want += (double)w[i] * (double)w[i];
        plain += (double)w[i];
    }
    for (int threads = 1; threads <= 3; threads++) {
        omp_set_num_threads(threads);
        be->sum_squares(w, n, &got[threads - 1]);
    }
    report("sum of squares", n, fabs(got[0] - want) / (want + 1), 1e-12);
    report("sum of squares, the same bits at 1, 2, 3 threads", n,
           got[0] != got[1] || got[0] != got[2], 0.5);
    be->sum(w, n, &sum);
    report("sum", n, fabs(sum - plain) / (want + 1), 1e-12);
    be->zero(w, n);
    be->sum_squares(w, n, &sum);
    report("zero", n, sum, 1e-300);
}

/* A gradient of norm 4 clipped to 2, left alone, and one that is not finite: nothing moves. */
static void settling(void)
{
    const double losses[] = {1, 2}, lost[] = {1, INFINITY};
    struct update u = {.squares = 16, .lr = 1};
    be->settle(&u, losses, 2, 2);
    report("clipped", 2, fabs((double)u.scale - 2 / (4 + 1e-6)), 1e-7);
    be->settle(&u, losses, 2, 5);
    report("not clipped", 2, fabs((double)u.scale - 1), 1e-30);
    be->settle(&u, losses, 2, 0);
    report("no limit", 2, fabs((double)u.scale - 1), 1e-30);
    be->settle(&u, lost, 2, 0);
    report("a loss that is infinite", 2, !isnan(u.scale), 0.5);
    fill(100);
    be->adam(&(struct adam_args){w, m, v, grad, 100, 0.9f, 0.9f, 1e-8f, 0.1f, &u, NULL});
    be->sgd(&(struct sgd_args){w, m, grad, 100, 0.9f, 0.1f, &u, NULL});
    report("nothing is updated", 100, worst(100) + fabs((double)m[7]), 1e-30);
    u.squares = NAN;
    be->settle(&u, losses, 2, 1);
    report("a gradient that is nan", 2, !isnan(u.scale), 0.5);
}

int main(int argc, char **argv)
{
    program = "optim";
    for (int i = 0; (be = tested_backend(argc, argv, i)); i++) {
        const size_t sizes[] = {1, 15, 16384, MOST};
        for (int k = 0; k < 4; k++) {
            adam(sizes[k]);
            sgd(sizes[k], 0);
            sgd(sizes[k], 1);
            sums(sizes[k]);
        }
        settling();
    }
    printf("1..%d\n", tests);
    return failed ? EXIT_FAILED : finish();
}
