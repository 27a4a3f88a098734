#include "kernels/scratch.h"
#include "kernels/memory.h"

_Thread_local struct scratch_memory scratch_of[SCRATCH_SLOTS];

void scratch_grow(enum scratch_slot slot, size_t floats)
{
    memory_release(scratch_of[slot].data);
    scratch_of[slot] = (struct scratch_memory){memory_alloc(floats), floats};
}
