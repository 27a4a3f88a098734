/* fuzz.h - what a fuzz target has: one function that takes any bytes. */
#pragma once
#include "base/base.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes with a NUL behind them, to change and to free. */
static inline char *copy_bytes(const uint8_t *data, size_t size)
{
    char *copy = zalloc(size + 1, 1);
    memcpy(copy, data, size);
    return copy;
}

/* The bytes as a stream to read. */
static inline FILE *stream_of(const uint8_t *data, size_t size)
{
    FILE *f = fmemopen((void *)(uintptr_t)data, size, "rb");
    if (!f)
        abort();
    return f;
}
