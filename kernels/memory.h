/* memory.h - memory of the CPU's backends. */
#pragma once
#include <stddef.h>

/* Zeroed, aligned to 64 bytes, in huge pages where the system gives them; never NULL. */
float *memory_alloc(size_t floats);
void memory_release(float *);
void memory_put(float *device, const void *host, size_t bytes);
void memory_get(void *host, const float *device, size_t bytes);
