#include "kernels/scratch.h"
#include "kernels/memory.h"

static _Thread_local struct { float *data; size_t size; } slots[SCRATCH_SLOTS];

float *scratch(enum scratch_slot slot, size_t floats)
{
    if (slots[slot].size < floats) {
        memory_release(slots[slot].data);
        slots[slot].data = memory_alloc(floats);
        slots[slot].size = floats;
    }
    return slots[slot].data;
}
