/* backend.c - the choice of a backend. */
#include "kernels/backend.h"
#include "base/base.h"
#include <string.h>

extern const struct backend cpu_v2_backend, cpu_v3_backend, cpu_v4_backend, cpu_v4bf16_backend;
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

static const struct { const char *name; int (*here)(void); const struct backend *be; } levels[] = {
    {"v2", has_v2, &cpu_v2_backend}, {"v3", has_v3, &cpu_v3_backend},
    {"v4", has_v4, &cpu_v4_backend}, {"v4bf16", has_v4bf16, &cpu_v4bf16_backend},
};

const char *backend_level(int at)
{
    for (size_t i = sizeof levels / sizeof *levels; i-- > 0;)
        if (levels[i].here() && at-- == 0)
            return levels[i].name;
    return NULL;
}

const struct backend *backend_open(const char *device, const char *level)
{
    if (!strcmp(device, "cuda")) {
        if (!cuda_backend_open)
            die("--device cuda: not built in; use cpu");
        return cuda_backend_open();
    }
    if (strcmp(device, "cpu"))
        die("--device %s: unknown; use cpu or cuda", device);
    for (size_t i = sizeof levels / sizeof *levels; i-- > 0;)
        if ((!level || !strcmp(level, levels[i].name)) && levels[i].here())
            return levels[i].be;
    if (level)
        die("this machine has no level %s (v2, v3, v4, v4bf16)", level);
    die("this machine is older than x86-64-v2, which keel needs");
}
