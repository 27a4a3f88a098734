#include "graph/profile.h"
#include <string.h>
#include <time.h>

static const struct backend *under;
static struct backend timed;

/* Rows of the table: each op forward and backward, then the backend's other work. */
enum { REST_ZERO = 2 * OP_COUNT, REST_SUM, REST_UPDATE, ROWS };
static struct { double seconds, flops, bytes; long calls; } sums[ROWS];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add(int row, double since, double flops, double bytes)
{
    sums[row].seconds += now() - since;
    sums[row].flops += flops;
    sums[row].bytes += bytes;
    sums[row].calls++;
}

static void add_step(int row, double since, struct step s, int backward)
{
    add(row + backward, since, (1 + backward) * step_flops(&s), step_bytes(&s, backward));
}

#define OP(name, in, out, keep)                                                  \
    static void name##_forward(const struct name##_args *a)                      \
    {                                                                            \
        const double since = now();                                              \
        under->name##_forward(a), under->wait();                                 \
        add_step(2 * OP_##name, since, (struct step){OP_##name, .u.name = *a}, 0);  \
    }                                                                            \
    static void name##_backward(const struct name##_args *a)                     \
    {                                                                            \
        const double since = now();                                              \
        under->name##_backward(a), under->wait();                                \
        add_step(2 * OP_##name, since, (struct step){OP_##name, .u.name = *a}, 1);  \
    }
#include "kernels/ops.def"
#undef OP

static void zero(float *x, size_t n)
{
    const double since = now();
    under->zero(x, n), under->wait();
    add(REST_ZERO, since, 0, sizeof(float) * (double)n);
}

static void sum_squares(const float *x, size_t n, double *sum)
{
    const double since = now();
    under->sum_squares(x, n, sum), under->wait();
    add(REST_SUM, since, 0, sizeof(float) * (double)n);
}

/* What is replayed has no parts that could be timed. */
static void replay(struct recording **r, void (*work)(void *), void *of)
{
    (void)r;
    work(of);
}

static void adam(const struct adam_args *a)
{
    const double since = now();
    under->adam(a), under->wait();
    add(REST_UPDATE, since, 0, 7 * sizeof(float) * (double)a->n);
}

static void sgd(const struct sgd_args *a)
{
    const double since = now();
    under->sgd(a), under->wait();
    add(REST_UPDATE, since, 0, (a->m ? 5 : 3) * sizeof(float) * (double)a->n);
}

const struct backend *profile_backend(const struct backend *be)
{
    under = be;
    timed = *be;
#define OP(name, in, out, keep) \
    timed.name##_forward = name##_forward, timed.name##_backward = name##_backward;
#include "kernels/ops.def"
#undef OP
    timed.zero = zero, timed.sum_squares = sum_squares, timed.adam = adam, timed.sgd = sgd;
    timed.replay = replay;
    return &timed;
}

void profile_reset(void)
{
    memset(sums, 0, sizeof sums);
}

void profile_print(FILE *out)
{
    static const char *const names[ROWS] = {
#define OP(name, in, out, keep) #name " forward", #name " backward",
#include "kernels/ops.def"
#undef OP
        "zero", "sum of squares", "update",
    };
    double total = 0;
    for (int i = 0; i < ROWS; i++)
        total += sums[i].seconds;
    fprintf(out, "op\tcalls\tms\tshare\tgflops\tgbytes_s\n");
    for (int i = 0; i < ROWS; i++)
        if (sums[i].calls)
            fprintf(out, "%s\t%ld\t%.3f\t%.3f\t%.1f\t%.1f\n", names[i], sums[i].calls,
                    1e3 * sums[i].seconds, sums[i].seconds / total,
                    1e-9 * sums[i].flops / sums[i].seconds,
                    1e-9 * sums[i].bytes / sums[i].seconds);
}
