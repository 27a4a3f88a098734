/* ordered.h - work on many threads, in and out in order.
 *
 * The calling thread fills slots one after the other and drains them in the same
 * order; other threads do the work between.  What comes out is the same at any
 * number of threads, and no more than the slots are in memory. */
#pragma once
#include <stddef.h>

struct ordered {
    void *context;
    size_t slot_size;                               /* bytes, zeroed before the first use */
    int (*fill)(void *context, void *slot);         /* 0: there is no more */
    void (*work)(void *context, void *slot, int thread);
    void (*drain)(void *context, void *slot);
    void (*release)(void *slot);                    /* what a slot owns; at the end */
};

/* With one thread all of it happens on the caller's. */
void ordered_run(const struct ordered *o, int threads);
/* -j's value, or the number of cores that may be used. */
int ordered_threads(void);
