/* numbers.h - numbers as they lie in memory, in f32 or bf16; kernels compute in f32. */
#pragma once
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vmath.h"
#include <string.h>

/* A matrix as it lies in memory, in f32 or bf16, `ld` numbers from row to row. */
struct numbers {
    void *at;
    ptrdiff_t ld;
    int narrow;
};

static inline struct numbers numbers_of(const struct tensor *t, const float *floats)
{
    return (struct numbers){(void *)(uintptr_t)floats, t->ld, t->storage == STORAGE_BF16};
}

/* The matrix from that row and column on. */
static inline struct numbers numbers_from(struct numbers x, ptrdiff_t row, ptrdiff_t col)
{
    x.at = (char *)x.at + (row * x.ld + col) * (x.narrow ? 2 : 4);
    return x;
}

/* The vector from number i on. */
INLINE vec load_at(const int narrow, const void *x, int i)
{
    return narrow ? load_bf16((const uint16_t *)x + i) : load((const float *)x + i);
}

INLINE void store_at(const int narrow, void *x, int i, vec v)
{
    if (narrow)
        store_bf16((uint16_t *)x + i, v);
    else
        store((float *)x + i, v);
}

/* The same of n <= LANES numbers; those beyond read as 0. */
INLINE vec load_n(const int narrow, const void *x, int i, int n)
{
    uint16_t part[LANES];
    if (n == LANES)
        return load_at(narrow, x, i);
    if (!narrow)
        return load_part((const float *)x + i, n, 0);
    memset(part, 0, sizeof part);
    memcpy(part, (const uint16_t *)x + i, (size_t)n * sizeof *part);
    return load_bf16(part);
}

INLINE void store_n(const int narrow, void *x, int i, int n, vec v)
{
    uint16_t part[LANES];
    if (n == LANES) {
        store_at(narrow, x, i, v);
    } else if (!narrow) {
        store_part((float *)x + i, v, n);
    } else {
        store_bf16(part, v);
        memcpy((uint16_t *)x + i, part, (size_t)n * sizeof *part);
    }
}

/* n numbers from one place to another, each in f32 or bf16. */
INLINE void copy_numbers(const int narrow, const void *from, const int to_narrow, void *to, int n)
{
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        store_at(to_narrow, to, i, load_at(narrow, from, i));
    if (i < n)
        store_n(to_narrow, to, i, n - i, load_n(narrow, from, i, n - i));
}

/* The first n numbers of x: where they lie, or if that is in bf16 widened, in `room`.  What is
 * written there close_numbers() takes to where they lie. */
static inline float *open_numbers(struct numbers x, int n, float *restrict room)
{
    if (!x.narrow)
        return x.at;
    copy_numbers(1, x.at, 0, room, n);
    return room;
}

static inline void close_numbers(struct numbers x, int n, const float *restrict room)
{
    if (x.narrow)
        copy_numbers(0, room, 1, x.at, n);
}

/* The first n numbers of x = from, which lie elsewhere. */
static inline void store_numbers(struct numbers x, int n, const float *from)
{
    if (x.narrow)
        close_numbers(x, n, from);
    else
        memcpy(x.at, from, (size_t)n * sizeof *from);
}

/* The same for columns [from, from + n) of row r of a tensor's data or gradient. */
static inline float *open_part(const struct tensor *t, float *floats, int r, int from, int n,
                               float *room)
{
    return open_numbers(numbers_from(numbers_of(t, floats), r, from), n, room);
}

static inline void close_part(const struct tensor *t, float *floats, int r, int from, int n,
                              const float *x)
{
    close_numbers(numbers_from(numbers_of(t, floats), r, from), n, x);
}

/* And for whole rows. */
static inline float *open_row(const struct tensor *t, float *floats, int r, float *room)
{
    return open_part(t, floats, r, 0, t->cols, room);
}

static inline void close_row(const struct tensor *t, float *floats, int r, const float *x)
{
    close_part(t, floats, r, 0, t->cols, x);
}

/* Where to write a row that close_row() ends, with nothing in it yet. */
static inline float *begin_row(const struct tensor *t, float *floats, int r, float *room)
{
    return t->storage == STORAGE_BF16 ? room : tensor_row(t, floats, r);
}
