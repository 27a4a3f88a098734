/* memory.h - what all of the CPU's backends share: memory, and work that is done at once. */
#pragma once
#include "kernels/backend.h"

/* Zeroed, aligned to 64 bytes, in huge pages where the system gives them; never NULL. */
float *memory_alloc(size_t floats);
void memory_release(float *);
void memory_put(float *device, const void *host, size_t bytes);
void memory_get(void *host, const void *device, size_t bytes);
void memory_copy(float *to, const float *from, size_t floats);
void memory_wait(void);
void memory_replay(struct recording **r, void (*work)(void *), void *of);
void memory_forget(struct recording **r);
void memory_settle(struct update *u, const double *losses, int n, double clip);
