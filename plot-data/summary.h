/* summary.h - samples at the same place of the same curve, in one row. */
#pragma once
#include "plot-data/series.h"

struct point {
    size_t group;
    int y;
    double x;
    size_t n, diverged;         /* numbers; series that diverged here */
    double mean, sd;            /* sd over n - 1; nan for n < 2, as are low and high */
    double low, high;           /* 95 % interval of the mean, by Student's t */
    double min, max;
};

/* Sorts the samples; the points, by group, y and x, in a new array of *n. */
struct point *summarise(struct samples *s, size_t *n);
/* t with a share p of Student's distribution of v degrees of freedom within (-t, t). */
double student_t(double p, size_t v);
