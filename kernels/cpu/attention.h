/* attention.h - what both passes of attention share: a head, its operands, a strip of queries.
 *
 * A thread owns one head of one sequence at a time and takes a strip of its queries over all keys
 * they see.  Scores stand turned, [keys][STRIP]: a vector holds one key and the queries of its
 * lanes, so the softmax needs no sum across lanes, and keys and values are multiplied (tile.h) as
 * they lie where they are units and whole blocks. */
#pragma once
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/tile.h"
#include "kernels/scratch.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { SIDE = 2, STRIP = SIDE * LANES, TILE = 64 };     /* queries of a strip, in vectors; keys */

static const float log2_e = 1.44269504f;

/* One head of one sequence. */
struct head {
    const struct attention_args *a;
    int b, h, d;
    int wide, rows;                 /* d padded to whole vectors; to what a block takes of it */
    int deep, units;                /* units of d that are multiplied, padded to whole vectors */
    int keys;                       /* there are to see */
    float scale;
};

/* What is multiplied: unit k of row or column i at data[i * side + k * deep]. */
struct operand {
    const float *data;
    ptrdiff_t side, deep;
};

INLINE struct head head_of(const enum precision p, const struct attention_args *a, int b, int h)
{
    const int d = a->q->cols / a->heads, u = in_unit(p);
    return (struct head){
        .a = a, .b = b, .h = h, .d = d, .wide = round_up(d, LANES),
        .rows = round_up(d, is_tile(p) ? LANES : ROWS),
        .deep = round_up((d + u - 1) / u, depth_step(p)),
        .units = round_up((d + u - 1) / u, LANES),
        .keys = a->lengths ? ints(a->lengths)[b] : a->tk, .scale = 1 / sqrtf((float)d),
    };
}

/* Floats of a thread's memory for one head, forward or backward. */
static inline float *head_memory(const struct head *s)
{
    const size_t side = (size_t)(s->units + s->wide), square = TILE * STRIP;
    const size_t tq = (size_t)round_up(s->a->tq, STRIP), tk = (size_t)round_up(s->a->tk, TILE);
    return scratch(SCRATCH_HEAD, 4 * (tq + tk + TILE) * side + (2 * TILE + 2) * (tq + LANES)
                                 + tk * STRIP + 8 * square + 64 * 16);
}

/* The next n floats of a thread's memory. */
static inline float *carve(float **memory, ptrdiff_t n)
{
    float *p = *memory;
    *memory += round_up((int)n, 16);
    return p;
}

/* Keys that query i sees. */
static inline int seen(const struct head *s, int i)
{
    const int n = s->a->causal ? s->keys - s->a->tq + i + 1 : s->keys;
    return n < 0 ? 0 : min_int(n, s->keys);
}

/* Keys that each query of the strip from i on sees, none where it is not above 0. */
INLINE void seen_by_lanes(const struct head *s, int i, ivec sees[SIDE])
{
    int32_t keys[STRIP];
    for (int l = 0; l < STRIP; l++)
        keys[l] = s->a->causal ? min_int(s->keys - s->a->tq + i + l + 1, s->keys) : s->keys;
    for (int v = 0; v < SIDE; v++)
        sees[v] = *(const ivec *)(keys + v * LANES);
}

/* This head in the sequence's rows from i on of a tensor with `time` rows a sequence. */
static inline struct numbers at(const struct head *s, const struct tensor *t, float *floats,
                                int time, int i)
{
    return numbers_from(numbers_of(t, floats), s->b * time + i, s->h * s->d);
}

/* Whether its rows are units as they are multiplied. */
INLINE int lies(const enum precision p, const struct head *s, struct numbers x)
{
    return s->d % (in_unit(p) * LANES) == 0 && (p == PRECISION_F32 || is_paired(x));
}

/* The head's `time` rows of t's data or gradient along k: as they lie or packed, with zeros up to
 * whole blocks. */
INLINE struct operand plain(const enum precision p, const struct head *s, const struct tensor *t,
                            float *floats, int time, float **memory)
{
    const struct numbers x = at(s, t, floats, time, 0);
    const int rows = round_up(time, block_rows(p));
    if (lies(p, s, x) && time == rows)
        return (struct operand){x.at, x.ld / in_unit(p), 1};
    float *out = carve(memory, (ptrdiff_t)rows * s->units);
    pack_plain(p, x, time, s->d, out, s->units, s->units, rows);
    return (struct operand){out, s->units, 1};
}

/* The same rows across k. */
INLINE struct operand stacked(const enum precision p, const struct head *s, const struct tensor *t,
                              float *floats, int time, float **memory)
{
    const struct numbers x = at(s, t, floats, time, 0);
    const int rows = round_up(time, block_rows(p));
    if (p == PRECISION_F32 && lies(p, s, x) && time == rows)
        return (struct operand){x.at, 1, x.ld};
    float *out = carve(memory, (ptrdiff_t)rows / in_unit(p) * s->wide);
    pack_stacked(p, x, time, s->d, out, s->wide, rows);
    return (struct operand){out, 1, s->wide};
}

/* The same as a left operand. */
INLINE struct operand stacked_left(const enum precision p, const struct head *s,
                                   const struct tensor *t, float *floats, int time, float **memory)
{
    const int units = round_up(time, block_rows(p)) / in_unit(p);
    if (!is_tile(p))
        return stacked(p, s, t, floats, time, memory);
    float *out = carve(memory, (ptrdiff_t)s->wide * (units + LANES)), *room = *memory;
    const struct operand x = stacked(p, s, t, floats, time, &room);
    turn(x.data, x.deep, units, s->wide, out, units + LANES);
    return (struct operand){out, units + LANES, 1};
}

/* From unit k on. */
INLINE const float *unit_of(struct operand x, int k) { return x.data + k * x.deep; }

/* c [m, n] (+)= a b over k units, rows of b `ldb` apart. */
INLINE void multiply(const enum precision p, int m, int n, int k, const float *a, struct operand of,
                     const float *b, ptrdiff_t ldb, float *c, ptrdiff_t ldc, int add)
{
    tile_mul(p, m, n, k, a, of.side, of.deep, b, ldb, c, ldc, add);
}

/* The strip of `have` rows of x, turned: out [units][STRIP]. */
INLINE void turn_strip(const enum precision p, const struct head *s, struct numbers x, int have,
                       float *out, float *temp)
{
    if (lies(p, s, x) && have == STRIP) {
        turn(x.at, x.ld / in_unit(p), STRIP, s->units, out, STRIP);
    } else {
        pack_plain(p, x, have, s->d, temp, s->units, s->units, STRIP);
        turn(temp, s->units, STRIP, s->units, out, STRIP);
    }
}

static inline int drops(const struct head *s) { return s->a->draw && s->a->p > 0; }

/* Dropout's scales of the strip from query i on and of keys [j, j + n): out [TILE][STRIP]. */
static inline void drop_scales(const struct head *s, int i, int j, int n, float *out, float *temp)
{
    const struct attention_args *a = s->a;
    const uint64_t line = ((uint64_t)s->b * (uint64_t)a->heads + (uint64_t)s->h) * (uint64_t)a->tq;
    memset(temp, 0, STRIP * TILE * sizeof *temp);
    for (int l = 0; l < STRIP && i + l < a->tq; l++)
        KERNEL(dropout_scales)(a->draw, a->site, a->p,
                               (line + (uint64_t)(i + l)) * (uint64_t)a->tk + (uint64_t)j,
                               min_int(n, a->tk - j), temp + l * TILE);
    turn(temp, TILE, STRIP, TILE, out, STRIP);
}

/* Two vectors, neighbours in one row, to be multiplied along it: in pairs as one of units. */
INLINE void store_along(const enum precision p, float *to, vec left, vec right)
{
    if (is_pair(p)) {
        store(to, pairs_along(left, right));
    } else {
        store(to, rounded(p == PRECISION_BF16, left));
        store(to + LANES, rounded(p == PRECISION_BF16, right));
    }
}

/* Two vectors, one row above the other, to be multiplied across them: in pairs as one of units. */
INLINE void store_across(const enum precision p, float *to, ptrdiff_t ld, vec low, vec high)
{
    if (is_pair(p)) {
        store(to, pairs_across(low, high));
    } else {
        store(to, rounded(p == PRECISION_BF16, low));
        store(to + ld, rounded(p == PRECISION_BF16, high));
    }
}

/* Add n rows of sums, `ld` apart, to the first of x, or store them. */
INLINE void give(const struct head *s, struct numbers x, int fresh, int n, const float *sums,
                 ptrdiff_t ld)
{
    for (int r = 0; r < n; r++) {
        void *to = numbers_from(x, r, 0).at;
        for (int e = 0; e < s->d; e += LANES) {
            const int have = min_int(LANES, s->d - e);
            vec sum = load(sums + r * ld + e);
            if (!fresh)
                sum += load_n(x.narrow, to, e, have);
            store_n(x.narrow, to, e, have, sum);
        }
    }
}

/* The same of a strip's `have` queries from turned sums [wide][STRIP]. */
INLINE void give_turned(const enum precision p, const struct head *s, struct numbers x, int fresh,
                        int have, const float *sums, float *temp)
{
    if (is_pair(p) && lies(p, s, x) && fresh && have == STRIP) {
        pack_stacked(p, floats_at(sums, STRIP), s->d, STRIP, temp, STRIP, s->d);
        turn(temp, STRIP, s->units, STRIP, x.at, x.ld / 2);
    } else {
        turn(sums, STRIP, s->wide, STRIP, temp, s->wide);
        give(s, x, fresh, have, temp, s->wide);
    }
}

/* f for each head of each sequence. */
static inline void each_head(const struct attention_args *a,
                             void (*f)(const struct attention_args *, int b, int h))
{
    const int heads = a->q->rows / a->tq * a->heads;
    #pragma omp parallel for schedule(guided) \
            if ((size_t)heads * (size_t)a->tq * (size_t)a->tk > PARALLEL / 8)
    for (int i = 0; i < heads; i++)
        f(a, i / a->heads, i % a->heads);
}
