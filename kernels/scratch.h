/* scratch.h - memory that a kernel may use until it returns. */
#pragma once
#include <stddef.h>

enum scratch_slot {
    SCRATCH_SHARED, SCRATCH_OWN, SCRATCH_SUMS, SCRATCH_HEAD, SCRATCH_ROWS, SCRATCH_GRADIENT,
    SCRATCH_SLOTS
};

/* The calling thread's. */
extern _Thread_local struct scratch_memory { float *data; size_t size; } scratch_of[SCRATCH_SLOTS];
void scratch_grow(enum scratch_slot slot, size_t floats);

/* At least that many floats of the calling thread's own, aligned to 64 bytes, not cleared.
 * The slot's earlier contents are gone when it must grow. */
static inline float *scratch(enum scratch_slot slot, size_t floats)
{
    if (scratch_of[slot].size < floats)
        scratch_grow(slot, floats);
    return scratch_of[slot].data;
}
