/* bootstrap.h - what resampled scores say. */
#pragma once
#include <stddef.h>

/* Sorts v; its q-quantile (0 <= q <= 1) with linear interpolation. */
double quantile(double *v, size_t n, double q);

/* Of resampled scores as sacrebleu 2.6.0 takes them: the mean; the ends of the middle 95 %, which
 * are scores that were drawn; half their distance. */
struct spread { double mean, half, low, high; };

/* Sorts v. */
struct spread spread_of(double *v, size_t n);
