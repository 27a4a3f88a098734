#include "graph/profile.h"
#include <string.h>
#include <time.h>

static const struct backend *under;
static struct backend timed;

/* Rows of the table: each op forward and backward, then the backend's other work. */
enum { REST_ZERO = 2 * OP_COUNT, REST_SUM, REST_UPDATE, ROWS };
static struct { double seconds, flops, bytes, least; long calls; } sums[ROWS];

/* What the machine can do in a second, 0 where that is not known. */
static double peak[2], bandwidth;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add(int row, double since, double flops, enum precision p, double bytes)
{
    const double rate = peak[p == PRECISION_BF16];      /* TF32 counts as the f32 it is stored as */
    const double product = rate > 0 ? flops / rate : 0;
    const double move = bandwidth > 0 ? bytes / bandwidth : 0;
    sums[row].seconds += now() - since;
    sums[row].flops += flops;
    sums[row].bytes += bytes;
    sums[row].least += product > move ? product : move;
    sums[row].calls++;
}

/* Work that only goes through memory. */
static void add_bytes(int row, double since, double bytes)
{
    add(row, since, 0, PRECISION_F32, bytes);
}

static enum precision precision_of(const struct step *s)
{
    return s->op == OP_linear ? s->u.linear.precision
         : s->op == OP_head ? s->u.head.precision
         : s->op == OP_attention ? s->u.attention.precision : PRECISION_F32;
}

static void add_step(int row, double since, struct step s, int backward)
{
    add(row + backward, since, (1 + backward) * step_flops(&s), precision_of(&s),
        step_bytes(&s, backward));
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
    add_bytes(REST_ZERO, since, sizeof(float) * (double)n);
}

static void sum_squares(const float *x, size_t n, double *sum)
{
    const double since = now();
    under->sum_squares(x, n, sum), under->wait();
    add_bytes(REST_SUM, since, sizeof(float) * (double)n);
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
    add_bytes(REST_UPDATE, since, 7 * sizeof(float) * (double)a->n);
}

static void sgd(const struct sgd_args *a)
{
    const double since = now();
    under->sgd(a), under->wait();
    add_bytes(REST_UPDATE, since, (a->m ? 5 : 3) * sizeof(float) * (double)a->n);
}

const struct backend *profile_backend(const struct backend *be)
{
    under = be;
    timed = *be;
    for (int p = PRECISION_F32; p <= PRECISION_BF16; p++)
        peak[p] = be->peak ? be->peak((enum precision)p) : 0;
    bandwidth = be->bandwidth ? be->bandwidth() : 0;
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
    if (bandwidth > 0)
        fprintf(out, "# peak: f32 %.1f GFLOP/s, bf16 %.1f GFLOP/s, memory %.1f GB/s\n",
                1e-9 * peak[PRECISION_F32], 1e-9 * peak[PRECISION_BF16], 1e-9 * bandwidth);
    fputs("op\tcalls\tms\tshare\tgflop\tgbytes\tgflops\tgbytes_s\tof_peak\n", out);
    for (int i = 0; i < ROWS; i++)
        if (sums[i].calls) {
            const double s = sums[i].seconds, flops = 1e-9 * sums[i].flops;
            const double bytes = 1e-9 * sums[i].bytes;
            fprintf(out, "%s\t%ld\t%.3f\t%.3f\t%.3f\t%.3f\t%.1f\t%.1f\t", names[i],
                    sums[i].calls, 1e3 * s, s / total, flops, bytes, flops / s, bytes / s);
            if (sums[i].least > 0)
                fprintf(out, "%.3g", sums[i].least / s);
            fputc('\n', out);
        }
}
