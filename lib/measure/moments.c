#include "measure/moments.h"
#include <math.h>

struct moments moments_of(const struct sums *s, int n, int d)
{
    const double size = (double)n * d;
    return (struct moments){
        .mean = s->plain / size, .ma = s->absolute / size,
        .var_entry = size > 1 ? s->deviations / (size - 1) : NAN,
        .var_token = s->row_deviations / size, .fro = sqrt(s->squares / size),
        .max_abs = s->largest,
    };
}

struct sums sums_of(const struct backend *be, const struct tensor *t)
{
    struct sums s;
    float *there = be->alloc(sizeof s / sizeof *there);
    be->sums(t, NULL, (struct sequences){1, t->rows}, (struct sums *)(void *)there);
    be->get(&s, there, sizeof s);
    be->release(there);
    return s;
}
