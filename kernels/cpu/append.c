/* append.c - new keys and values for the cache of a generation. */
#include "kernels/cpu/cpu.h"
#include <string.h>

void KERNEL(append_forward)(const struct append_args *a)
{
    for (int b = 0; b < a->x->rows; b++)
        memcpy(row(a->cache, b * a->time + ints(a->at)[b]), row(a->x, b),
               (size_t)a->x->cols * sizeof(float));
}

void KERNEL(append_backward)(const struct append_args *a)
{
    (void)a;        /* ops.h: no gradient */
}
