/* backend.c - the choice of a backend. */
#include "kernels/backend.h"
#include "base/base.h"
#include "kernels/waiting.h"
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern const struct backend cpu_v2_backend, cpu_v3_backend, cpu_v4_backend, cpu_v4bf16_backend,
                            cpu_v4amx_backend;
/* kernels/cuda/backend.cu, where it was linked in. */
__attribute__((weak)) const struct backend *cuda_backend_open(void);

/* Whether this machine has the instructions of a level; the best last. */
static int has_v2(void) { return __builtin_cpu_supports("sse4.2"); }
static int has_v3(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
        && __builtin_cpu_supports("bmi2");
}
static int has_v4(void)
{
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
static int has_v4bf16(void) { return has_v4() && __builtin_cpu_supports("avx512bf16"); }

/* Tiles that multiply bf16; the kernel grants their state on request (arch_prctl(2)). */
static int has_v4amx(void)
{
    enum { REQUEST = 0x1023 /* ARCH_REQ_XCOMP_PERM */, TILE_DATA = 18 };
    enum { BF16 = 1 << 22, TILE = 1 << 24 };
    unsigned a, b, c, d;
    return has_v4bf16() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & BF16) && (d & TILE)
        && !syscall(SYS_arch_prctl, REQUEST, TILE_DATA);
}

static const struct { const char *name; int (*here)(void); const struct backend *be; } levels[] = {
    {"v2", has_v2, &cpu_v2_backend}, {"v3", has_v3, &cpu_v3_backend},
    {"v4", has_v4, &cpu_v4_backend}, {"v4bf16", has_v4bf16, &cpu_v4bf16_backend},
    {"v4amx", has_v4amx, &cpu_v4amx_backend},
};

const char *backend_level(int at)
{
    for (size_t i = sizeof levels / sizeof *levels; i-- > 0;)
        if (levels[i].here() && at-- == 0)
            return levels[i].name;
    return NULL;
}

/* Products of both precisions, small whole numbers, against a plain loop. */
static int passes(const struct backend *be)
{
    enum { N = 11, IN = 35, OUT = 19 };
    float x[N * IN], w[OUT * IN], y[N * OUT];
    int right = 1;

    for (int i = 0; i < N * IN; i++)
        x[i] = (float)(i * 7 % 11 - 5);
    for (int i = 0; i < OUT * IN; i++)
        w[i] = (float)(i * 5 % 13 - 6);
    for (int p = PRECISION_F32; p <= PRECISION_BF16; p++) {
        be->linear_forward(&(struct linear_args){
            .x = &(struct tensor){.rows = N, .cols = IN, .ld = IN, .data = x},
            .weight = &(struct tensor){.rows = OUT, .cols = IN, .ld = IN, .data = w},
            .y = &(struct tensor){.rows = N, .cols = OUT, .ld = OUT, .data = y},
            .precision = (enum precision)p,
        });
        for (int i = 0; i < N * OUT; i++) {
            float sum = 0;
            for (int k = 0; k < IN; k++)
                sum += x[i / OUT * IN + k] * w[i % OUT * IN + k];
            right &= y[i] == sum;
        }
    }
    return right;
}

/* Subnormal numbers (below 1.2e-38) are 0, in this thread and in all that it starts: a run on its
 * way to diverge is full of them, and each would cost a hundred cycles. */
static void flush_subnormals(void)
{
    _mm_setcsr(_mm_getcsr() | _MM_FLUSH_ZERO_ON | 0x40);    /* 0x40: those that are read, too */
}

const struct backend *backend_open(const char *device, const char *level)
{
    flush_subnormals();
    waiting_is_short();             /* to have it linked in: see waiting.c */
    if (!strcmp(device, "cuda")) {
        if (!cuda_backend_open)
            die("--device cuda: not built in; use cpu");
        return cuda_backend_open();
    }
    if (strcmp(device, "cpu"))
        die("--device %s: unknown; use cpu or cuda", device);
    for (size_t i = sizeof levels / sizeof *levels; i-- > 0;)
        if ((!level || !strcmp(level, levels[i].name)) && levels[i].here()) {
            if (passes(levels[i].be))
                return levels[i].be;
            warn("wrong products at level %s: this machine's processor is not to be trusted",
                 levels[i].name);
        }
    if (level)
        die("level %s is not to be had on this machine; there are v2, v3, v4, v4bf16, v4amx",
            level);
    die("this machine is older than x86-64-v2, which keel needs");
}
