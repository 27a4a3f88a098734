/* scratch.h - memory that a kernel may use until it returns. */
#pragma once
#include <stddef.h>

/* At least that many floats of the calling thread's own, aligned to 64 bytes, not cleared.
 * The slot's earlier contents are gone when it must grow. */
enum scratch_slot { SCRATCH_SHARED, SCRATCH_OWN, SCRATCH_HEAD, SCRATCH_SLOTS };
float *scratch(enum scratch_slot slot, size_t floats);
