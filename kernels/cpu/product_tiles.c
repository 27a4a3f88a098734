/* product_tiles.c - products by the tile unit (AMX), which multiplies pairs of bf16.
 *
 * A number in f32 is the sum of three in bf16, high + middle + low, to the last bit; of the nine
 * products of two such numbers six are taken, and what is left out is 2^-24 of the whole: no more
 * than what rounding to f32 leaves out.  (Henry, Tang, Heinecke 2019, section II.)  An inf has no
 * such parts, nor what bf16 rounds to one: products with them are NaN; below 2^-102 the lowest part
 * is 0, as all subnormals are.
 *
 * Both operands are packed in steps of 16 units (32 numbers of k), each step term by term, so that
 * a tile is 1 KB in a row; a left one in bf16 is taken as it lies where that does not crowd the
 * caches.  A thread keeps its own strips in the second cache and goes through the shared ones,
 * fetching the next while it multiplies.  Sums stand aside, 32 x 32 at a time. */
#include "kernels/cpu/product_inside.h"
#include "kernels/cpu/tile.h"
#include "kernels/scratch.h"

#ifdef __AMX_BF16__

enum {
    SIDE = TILE_SIDE,           /* of a tile, in rows or units */
    STEP = 2 * SIDE,            /* numbers of k in a step; rows or columns of a strip */
    TILE = SIDE * SIDE,         /* floats */
    SQUARE = STEP * STEP,
    TERM = 2 * TILE,            /* floats of a step of a strip */
    TERMS = 3,                  /* of a number in f32 */
    DEEP = 8 * SIDE, DEEP_TERMS = 3 * SIDE,     /* units of k in a block: two strips stay in the
                                                   first cache */
    LEAST = 4, MOST = 16,       /* strips that a thread keeps */
};

/* The numbers of x [rows, cols] in a square of floats, with zeros. */
static void fill_square(struct numbers x, int rows, int cols, float *to)
{
    for (int r = 0; r < STEP; r++)
        for (int e = 0; e < STEP; e += LANES) {
            const int have = r < rows ? min_int(LANES, cols - e) : 0;
            store(to + r * STEP + e, have > 0 ? load_n(x.narrow, numbers_from(x, r, 0).at, e, have)
                                              : splat(0));
        }
}

/* Terms of 16 pairs: of neighbours a0 a1 .. b14 b15, or with `zip` a0 b0 a1 b1 .. */
INLINE void split(const int terms, const int zip, vec a, vec b, float *to)
{
    UNROLL
    for (int t = 0; t < terms; t++, to += TERM) {
        const uint16_t *half = (const uint16_t *)(const void *)to;
        const vec y = zip ? pairs_across(a, b) : pairs_along(a, b);
        store(to, y);
        a -= zip ? (vec)((ivec)y << 16) : load_bf16(half);
        b -= zip ? (vec)((ivec)y & (int32_t)0xffff0000) : load_bf16(half + LANES);
    }
}

/* Row r of a square as pairs, or if they are stacked that and the next. */
INLINE void pack_row(const int terms, const int narrow, struct numbers x, int r, int stacked,
                     float *to)
{
    const void *at = numbers_from(x, r, 0).at, *next = numbers_from(x, r + 1, 0).at;
    for (int e = 0; e < STEP && stacked; e += LANES)
        if (narrow)
            zip_rows((const uint16_t *)at + e, (const uint16_t *)next + e, to + e);
        else
            split(terms, 1, load((const float *)at + e), load((const float *)next + e), to + e);
    if (!stacked && narrow)
        memcpy(to, at, STEP * sizeof(uint16_t));
    else if (!stacked)
        split(terms, 0, load(at), load((const float *)at + LANES), to);
}

/* A step of a strip, x [rows, cols] with k along the rows if `stacked`; of the left operand it
 * becomes plain, of the right stacked. */
INLINE void pack_step(const int terms, struct numbers x, int rows, int cols, int stacked, int left,
                      float *to)
{
    float square[SQUARE], turned[TERMS * TERM];
    float *out = stacked == left ? turned : to;
    if (rows < STEP || cols < STEP) {
        fill_square(x, rows, cols, square);
        x = floats_at(square, STEP);
    }
    for (int r = 0; r < STEP; r += stacked + 1) {
        fetch_row(x, r + ROWS_AHEAD, STEP);
        if (stacked)
            fetch_row(x, r + ROWS_AHEAD + 1, STEP);
        if (terms == 1 && x.narrow)
            pack_row(terms, 1, x, r, stacked, out + r * SIDE);
        else
            pack_row(terms, 0, x, r, stacked, out + r * SIDE);
    }
    for (int t = 0; t < terms && out == turned; t++)
        if (left)
            turn(turned + t * TERM, STEP, SIDE, STEP, to + t * TERM, SIDE);
        else
            turn(turned + t * TERM, SIDE, STEP, SIDE, to + t * TERM, STEP);
}

/* A strip of the left operand or of the right. */
INLINE void pack(const int terms, const struct part *s, int left, const struct packed *to,
                 int strip)
{
    const struct product *q = s->q;
    const struct factor *x = left ? &q->a : &q->b;
    const int stacked = left ? x->turned : !x->turned;
    const int first = strip * STEP, have = min_int(STEP, (left ? q->m : q->n) - first);
    for (int b = 0; b < s->blocks; b++)
        for (int u = 0; u < units_in(s, b); u += SIDE) {
            const int from = 2 * (s->from + b * s->deep + u), deep = min_int(STEP, q->k - from);
            float *out = strip_at(to, strip, b) + u / SIDE * terms * TERM;
            if (stacked)
                pack_step(terms, numbers_from(x->x, from, first), deep, have, 1, left, out);
            else
                pack_step(terms, numbers_from(x->x, first, from), have, deep, 0, left, out);
        }
}

/* Whether the left operand is multiplied as it lies: not where its rows meet in the same places of
 * a cache, nor where long rows are gone through more than once. */
INLINE int is_loose(const int terms, const struct product *q)
{
    return terms == 1 && !q->a.turned && is_paired(q->a.x) && q->m % STEP == 0
        && q->k % STEP == 0 && q->a.x.ld % (16 * STEP) && (q->m < q->n || q->k <= 1024);
}

INLINE void pack_left(const int terms, const struct part *s, const struct packed *to, int strip)
{
    const struct product *q = s->q;
    const int row = strip * STEP, from = 2 * s->from;
    if (is_loose(terms, q))
        return;
    pack(terms, s, 1, to, strip);
    if (q->sums)
        add_sums(q, row, min_int(STEP, q->m - row), from, min_int(2 * s->units, q->k - from));
}

/* Where the left operand's tiles lie: rows `ld` floats apart, steps `step`. */
struct left {
    const float *at;
    ptrdiff_t ld, step;
};

/* Two tiles of an operand: of the left to 4 and 5, of the right to 6 and 7. */
#define LOAD_LEFT(a)                                    \
    do {                                                \
        _tile_loadd(4, a, 4 * l.ld);                    \
        _tile_loadd(5, (a) + SIDE * l.ld, 4 * l.ld);    \
    } while (0)
#define LOAD_RIGHT(b)                                   \
    do {                                                \
        _tile_loadd(6, b, 4 * STEP);                    \
        _tile_loadd(7, (b) + SIDE, 4 * STEP);           \
    } while (0)
#define MULTIPLY()                                      \
    do {                                                \
        _tile_dpbf16ps(0, 4, 6);                        \
        _tile_dpbf16ps(1, 4, 7);                        \
        _tile_dpbf16ps(2, 5, 6);                        \
        _tile_dpbf16ps(3, 5, 7);                        \
    } while (0)

/* A square of floats, rows `ld` apart. */
struct square {
    float *at;
    ptrdiff_t ld;
};

/* Lines [first, end) of each term of a strip's steps, to be had in the second cache soon. */
struct ahead {
    struct left strip;
    int first, end;
};

/* to = from + left right over the steps. */
INLINE void multiply_square(const int terms, int steps, struct left l, const float *right,
                            struct square from, struct square to, struct ahead ahead)
{
    load_sums(1, 1, from.at, from.ld);
    for (int s = 0; s < steps; s++) {
        const float *a = l.at + s * l.step, *b = right + s * terms * TERM;
        for (int r = ahead.first; r < ahead.end; r++)
            UNROLL
            for (int t = 0; t < terms; t++)
                __builtin_prefetch(ahead.strip.at + s * ahead.strip.step + t * TERM
                                   + r * ahead.strip.ld, 0, 2);
        if (terms == 1) {
            LOAD_RIGHT(b);
            LOAD_LEFT(a);
            MULTIPLY();
            continue;
        }
        LOAD_LEFT(a + 2 * TERM);
        LOAD_RIGHT(b);
        MULTIPLY();
        LOAD_LEFT(a + TERM);
        MULTIPLY();
        LOAD_RIGHT(b + TERM);
        MULTIPLY();
        LOAD_LEFT(a);
        MULTIPLY();
        LOAD_RIGHT(b + 2 * TERM);
        MULTIPLY();
        LOAD_RIGHT(b);
        MULTIPLY();
    }
    store_sums(1, 1, to.at, to.ld);
}

INLINE struct left left_at(const int terms, const struct part *s, const struct packed *left,
                           int strip, int block)
{
    const struct numbers x = s->q->a.x;
    if (is_loose(terms, s->q))
        return (struct left){numbers_from(x, strip * STEP, 2 * (s->from + block * s->deep)).at,
                             x.ld / 2, SIDE};
    return (struct left){strip_at(left, strip, block), SIDE, terms * TERM};
}

/* A square of c in bf16 from its sums. */
static void round_square(const float *sums, struct numbers c)
{
    for (int r = 0; r < STEP; r++, sums += STEP) {
        const vec row = pairs_along(load(sums), load(sums + LANES));
        memcpy(numbers_from(c, r, 0).at, &row, sizeof row);
    }
}

/* The square of c from (row, col) on, over block b of k. */
INLINE void multiply_block(const int terms, const struct part *s, int b, struct left l,
                           const float *right, int row, int col, float *sums, struct ahead ahead)
{
    const struct product *q = s->q;
    const int last = b == s->blocks - 1, add = q->add || s->from > 0;
    const int rows = min_int(STEP, q->m - row), n = min_int(STEP, q->n - col);
    const int whole = rows == STEP && n == STEP, direct = whole && !q->c.narrow;
    const struct numbers c = numbers_from(q->c, row, col);
    const struct square aside = {sums, STEP}, there = {c.at, c.ld};
    struct square from = b > 0 ? aside : (struct square){(float *)(uintptr_t)tile_zeros, 0};
    if (b == 0 && direct && add)
        from = there;
    else if (b == 0 && whole && !add && q->bias)
        from.at = (float *)(uintptr_t)(q->bias + col);

    multiply_square(terms, (units_in(s, b) + SIDE - 1) / SIDE, l, right, from,
                    last && direct ? there : aside, ahead);
    if (last && whole && q->c.narrow && !add)
        round_square(sums, c);
    else if (last && q->c.narrow)
        end_sums(1, q, row, col, rows, n, sums, STEP, add);
    else if (last && !direct)
        end_sums(0, q, row, col, rows, n, sums, STEP, add);
}

/* A thread's own strips times the shared ones, one of these after the other. */
INLINE void multiply_strips(const int terms, const struct part *s, const struct packed *left,
                            const struct packed *right, int shared_left)
{
    const struct packed *shared = shared_left ? left : right, *own = shared_left ? right : left;
    const int share = (STEP + own->n - 1) / own->n;
    float *sums = scratch(SCRATCH_SUMS, (size_t)own->n * SQUARE);

    start_tiles(PRECISION_BF16);
    for (int i = 0; i < shared->n; i++)
        for (int b = 0; b < s->blocks; b++) {
            const int next = b < s->blocks - 1 ? i : i + 1, next_b = next == i ? b + 1 : 0;
            struct ahead ahead = {.strip = {0}};
            if (next < shared->n)
                ahead.strip = shared_left ? left_at(terms, s, left, next, next_b)
                            : (struct left){strip_at(right, next, next_b), SIDE, terms * TERM};
            for (int j = 0; j < own->n; j++) {
                const int mine = own->first + j, r = shared_left ? i : mine;
                const int c = shared_left ? mine : i;
                ahead.first = j * share;
                ahead.end = next < shared->n ? min_int(STEP, ahead.first + share) : 0;
                multiply_block(terms, s, b, left_at(terms, s, left, r, b), strip_at(right, c, b),
                               r * STEP, c * STEP, sums + (ptrdiff_t)j * SQUARE, ahead);
            }
        }
}

#define KIT(name, terms)                                                                          \
    static void name##_left(const struct part *s, const struct packed *to, int strip)             \
    {                                                                                             \
        pack_left(terms, s, to, strip);                                                           \
    }                                                                                             \
    static void name##_right(const struct part *s, const struct packed *to, int strip)            \
    {                                                                                             \
        pack(terms, s, 0, to, strip);                                                             \
    }                                                                                             \
    static void name##_multiply(const struct part *s, const struct packed *left,                  \
                                const struct packed *right, int shared_left)                      \
    {                                                                                             \
        multiply_strips(terms, s, left, right, shared_left);                                      \
    }

KIT(full, TERMS)
KIT(half, 1)

const struct kit KERNEL(tiles)[2] = {
    {2, STEP, DEEP_TERMS, TERMS, LEAST, MOST, full_left, full_right, full_multiply},
    {2, STEP, DEEP, 1, LEAST, MOST, half_left, half_right, half_multiply},
};
#endif
