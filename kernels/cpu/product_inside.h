/* product_inside.h - what the two kinds of products share: product.c has the threads and what
 * vectors multiply, product_tiles.c what the tile unit (AMX) does. */
#pragma once
#include "kernels/cpu/numbers.h"
#include "kernels/cpu/product.h"

enum { DOWN = 32 };         /* rows of a strip of the left operand; of the right it is a panel */

/* An operand's packed strips [first, first + n), block by block of k. */
struct packed {
    float *data;
    int first, n, floats;       /* floats of one strip in one block */
};

/* The part of a product that is being summed: `blocks` of `deep` units of k from unit `from` on. */
struct part {
    const struct product *q;
    int from, units, blocks, deep;
};

static inline float *strip_at(const struct packed *s, int strip, int block)
{
    return s->data + ((ptrdiff_t)block * s->n + strip - s->first) * s->floats;
}

static inline int units_in(const struct part *s, int block)
{
    return min_int(s->deep, s->units - block * s->deep);
}

/* The sums of numbers [from, from + deep) of k of a turned left operand's rows. */
static inline void add_sums(const struct product *q, int row, int have, int from, int deep)
{
    for (int k = from; k < from + deep; k++) {
        float room[DOWN];
        const float *x = open_numbers(numbers_from(q->a.x, k, row), have, room);
        for (int i = 0; i < have; i++)
            q->sums[row + i] += x[i];
    }
}

/* The sums of c [rows, n] from (row, col) on to where they belong; `narrow`: how that is stored;
 * `add`: to what is there. */
INLINE void end_sums(const int narrow, const struct product *q, int row, int col, int rows, int n,
                     const float *sums, ptrdiff_t ld, int add)
{
    for (int r = 0; r < rows; r++) {
        void *c = numbers_from(q->c, row + r, col).at;
        for (int e = 0; e < n; e += LANES) {
            const int have = min_int(LANES, n - e);
            const vec more = add ? load_n(narrow, c, e, have)
                           : q->bias ? load_n(0, q->bias + col, e, have) : splat(0);
            store_n(narrow, c, e, have, load(sums + r * ld + e) + more);
        }
    }
}

/* What differs by what multiplies: the tile unit or vectors, their width and the form of the left
 * operand, each compiled for its own. */
struct kit {
    int in_unit;                /* numbers of k */
    int panel, deep;            /* columns; units of k in a block, at most */
    int floats;                 /* of a unit of k of a packed strip, beside its rows or columns */
    int least, strips;          /* that a thread takes at a time, at least and at most */
    void (*left)(const struct part *, const struct packed *, int strip);
    void (*right)(const struct part *, const struct packed *, int strip);
    void (*multiply)(const struct part *, const struct packed *left, const struct packed *right,
                     int shared_left);
};

/* Of products in bf16 and in f32 where there is a tile unit. */
extern const struct kit KERNEL(tiles)[2];
