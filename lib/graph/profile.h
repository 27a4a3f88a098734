/* profile.h - where the time of a plan's passes goes, by op. */
#pragma once
#include "graph/plan.h"
#include <stdio.h>

/* A backend that does what `be` does and adds up the time of every call: build and place the
 * plan on it.  There is one set of sums. */
const struct backend *profile_backend(const struct backend *be);
void profile_reset(void);
/* A TSV table: op, calls, milliseconds and share of the time, GFLOP/s of matrix products, GB/s of
 * the least bytes that must be moved. */
void profile_print(FILE *out);
