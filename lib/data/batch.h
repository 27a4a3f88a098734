/* batch.h - batches of windows from a split, prepared by a thread ahead of use.
 *
 * Which windows batch number i holds depends on the seed and i alone, so a
 * resumed run gets the same ones at any number of threads. */
#pragma once
#include "data/mask.h"
#include "data/shards.h"

enum window_order {
    WINDOWS_RANDOM,     /* each window starts anywhere, drawn with replacement (nanoGPT) */
    WINDOWS_PERMUTED,   /* disjoint windows, each once an epoch, in a seeded order */
    WINDOWS_IN_ORDER,   /* disjoint windows from the start; the last batch may be short */
};

struct batch {
    int *ids, *targets;     /* [size, time] each; targets[i] follows ids[i], or is what was hidden
                               there; rows past a short end repeat the last window with every
                               target -1 */
    int windows;            /* that are real */
};

struct batches;

/* Dies when the split is shorter than one window (time + 1 tokens).  mask may be NULL. */
struct batches *batches_open(struct shards *s, int size, int time, enum window_order order,
                             const struct masking *mask, uint64_t seed, uint64_t first);
/* Batch number first, first + 1, ...; valid until the next call. NULL after the last (IN_ORDER). */
const struct batch *batches_next(struct batches *b);
/* Windows that the split has in the orders that use each once. */
uint64_t batches_windows(const struct batches *b);
void batches_close(struct batches *b);
