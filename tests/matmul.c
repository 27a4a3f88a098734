/* matmul - the library's products in both precisions against f64, as kernels ask for them; bf16
 * is only asked for where the library does it.
 *
 * The sum of k products of numbers below 1 in f32: sqrt(k) 2^-24 k^(1/2) or so; 1e-4 at k 3072. */
#include "base/base.h"
#include "kernels/matmul.h"
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tests, failed;
static unsigned state = 1;

/* n numbers that bf16 holds exactly, and, if wanted, the same in 16 bits. */
static float *numbers(size_t n, uint16_t **half)
{
    float *x = zalloc(n, sizeof *x);
    if (half)
        *half = zalloc(n, sizeof **half);
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(int)(state >> 25) / 64 - 1;
        if (half)
            memcpy(&(*half)[i], (char *)&x[i] + 2, 2);
    }
    return x;
}

static void check(enum precision p, int m, int n, int k, int turned_a, int turned_b, int add)
{
    const int lda = (turned_a ? m : k) + 3, ldb = (turned_b ? k : n) + 1, ldc = n + 16;
    uint16_t *a16, *b16;
    float *a = numbers((size_t)lda * (size_t)(turned_a ? k : m), &a16);
    float *b = numbers((size_t)ldb * (size_t)(turned_b ? n : k), &b16);
    float *c = numbers((size_t)ldc * (size_t)m, NULL), *bias = numbers((size_t)n, NULL);
    double worst = 0;
    float *was = zalloc((size_t)ldc * (size_t)m, sizeof *was);
    memcpy(was, c, (size_t)ldc * (size_t)m * sizeof *c);

    const int done = matmul_run(&(struct matmul){
        p, m, n, k, {p ? (void *)a16 : a, lda, turned_a}, {p ? (void *)b16 : b, ldb, turned_b},
        c, ldc, add ? NULL : bias, add});
    for (int i = 0; done && i < m; i++)
        for (int j = 0; j < ldc; j++) {
            double sum = (double)was[i * ldc + j];
            if (j < n) {
                sum = add ? sum : (double)bias[j];
                for (int q = 0; q < k; q++)
                    sum += (double)a[turned_a ? q * lda + i : i * lda + q]
                         * (double)b[turned_b ? j * ldb + q : q * ldb + j];
            }
            worst = fmax(worst, fabs(sum - (double)c[i * ldc + j]));
        }
    failed += worst > 1e-4;
    printf("%sok %d - %s [%d, %d] over %d%s%s%s: %s%.1e\n", worst > 1e-4 ? "not " : "", ++tests,
           p ? "bf16" : "f32", m, n, k, turned_a ? ", left turned" : "",
           turned_b ? ", right turned" : "", add ? ", added" : "",
           done ? "" : "# skip not on this machine ", worst);
    free(a), free(b), free(c), free(bias), free(was), free(a16), free(b16);
}

/* A long sum into a small matrix, which the library by itself would share out by k. */
static void same_bits(void)
{
    enum { M = 64, N = 64, K = 4096 };
    float *a = numbers(K * M, NULL), *b = numbers(K * N, NULL);
    float *c = zalloc(3 * M * N, sizeof *c);
    for (int i = 0; i < K * M; i++)
        a[i] *= 0.3f;                   /* products that need rounding */
    for (int t = 0; t < 3; t++) {
        omp_set_num_threads(t + 1);
        matmul_run(&(struct matmul){PRECISION_F32, M, N, K, {a, M, 1}, {b, N, 0}, c + t * M * N, N,
                                    NULL, 0});
    }
    const int same = !memcmp(c, c + M * N, M * N * sizeof *c)
                  && !memcmp(c, c + 2 * M * N, M * N * sizeof *c);
    failed += !same;
    printf("%sok %d - the same bits at 1, 2, 3 threads\n", same ? "" : "not ", ++tests);
    free(a), free(b), free(c);
}

int main(void)
{
    program = "matmul";
    same_bits();
    for (enum precision p = PRECISION_F32; p <= PRECISION_BF16; p++)
        for (int k = 3; k <= 3072; k *= 4) {
            check(p, 33, 70, k, 0, 1, 0);
            check(p, 64, 31, k, 0, 0, 1);
            check(p, 17, 65, k, 1, 0, 1);
        }
    printf("1..%d\n", tests);
    return failed ? EXIT_FAILED : finish();
}
