/* waiting.c - make idle OpenMP threads go to sleep soon.
 *
 * Between two parallel loops GNU OpenMP's threads spin for some milliseconds, which takes the
 * cores away from whoever else uses the machine: of two runs at once, each with a thread a
 * core, either ran at a thirtieth of its speed alone, and with SPINS at most of it
 * (bench/waiting.sh).  The library reads its settings from the environment, once, when it is
 * loaded.  So for that moment one variable gives up its place for ours: functions in
 * .preinit_array run before any library starts, constructors of the program after all have.
 * Where this has no effect nothing else changes. */
#include "kernels/waiting.h"
#include <stdlib.h>
#include <string.h>

#define SPINS "GOMP_SPINCOUNT=2000"

static char *displaced, **seat;

static int set_by_user(char *const *env)
{
    for (; *env; env++)
        if (!strncmp(*env, "OMP_WAIT_POLICY=", 16) || !strncmp(*env, "GOMP_SPINCOUNT=", 15))
            return 1;
    return 0;
}

/* Not one that any library here may read. */
static int is_free(const char *variable)
{
    static const char *const taken[] = {"OMP_", "GOMP_", "LD_", "DNNL_", "ONEDNN_", "MALLOC_",
                                        "ASAN_", "UBSAN_", "LSAN_", "GLIBC_", "KMP_"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (!strncmp(variable, taken[i], strlen(taken[i])))
            return 0;
    return 1;
}

static void before_libraries(int argc, char **argv, char **env)
{
    static char ours[] = SPINS;
    (void)argc, (void)argv;
    if (set_by_user(env))
        return;
    for (seat = env; *seat && !is_free(*seat); seat++)
        ;
    if (*seat) {
        displaced = *seat;
        *seat = ours;
    }
}

__attribute__((section(".preinit_array"), used, retain))
static void (*const hook)(int, char **, char **) = before_libraries;

__attribute__((constructor)) static void after_libraries(void)
{
    if (displaced)
        *seat = displaced;
}

int waiting_is_short(void)
{
    return displaced != NULL;
}
