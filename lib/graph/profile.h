/* profile.h - where the time of a plan's passes goes, by op. */
#pragma once
#include "graph/plan.h"
#include <stdio.h>

/* A backend that does what `be` does and adds up the time of every call: build and place the
 * plan on it.  There is one set of sums.  The machine's peaks are measured first. */
const struct backend *profile_backend(const struct backend *be);
void profile_reset(void);
/* A TSV table: op; calls; milliseconds and share of the time; GFLOP of matrix products, and GB of
 * the least bytes that must be moved; both a second; and the share of the peak: the time that the
 * products take at their peak or the bytes at memory's bandwidth, the longer of them, over the
 * time taken.  It can be above 1 where operands were still in a cache. */
void profile_print(FILE *out);
