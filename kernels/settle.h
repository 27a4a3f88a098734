/* settle.h - by how much an update's gradient is multiplied: the same on every device. */
#pragma once
#include "kernels/backend.h"
#include "kernels/both.h"
#include <math.h>

/* See settle() in backend.h. */
static inline __host__ __device__ void settle_update(struct update *u, const double *losses, int n,
                                                     double clip)
{
    const double norm = sqrt(u->squares), over = clip > 0 ? clip / (norm + 1e-6) : 1;
    double total = norm;
    for (int i = 0; i < n; i++)
        total += losses[i];
    u->scale = !(fabs(total) < INFINITY) ? NAN : over < 1 ? (float)over : 1;
}
