/* product.c - matrix products, block by block in registers.
 *
 * Operands are packed (tile.h) in strips, DEEP units of k at a time, but for a left one that can
 * be multiplied as it lies.  All threads pack the one with fewer strips; then each takes runs of
 * strips of the other as they come free, packs them, and multiplies them by all of the first.  An
 * element is summed by one thread in the order of k, so its bits do not depend on their number.
 * What is to be stored in bf16 is summed in f32 aside, part by part.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/tile.h"
#include "kernels/scratch.h"
#include <omp.h>

enum {
    DEEP = 384,         /* units of k in a block, and for the tile unit */
    DEEP_TILE = 192,
    BLOCKS = 8,         /* of k packed at a time */
    DOWN = 32,          /* rows of a strip of the left operand; of the right it is a panel */
    STRIPS = 4,         /* multiplied while a part of c stays in the second cache */
};

/* Units of k in a block: its panel of the right operand stays in the second cache. */
INLINE int deep_of(const enum precision p) { return is_tile(p) ? DEEP_TILE : DEEP; }

/* An operand's packed strips [first, first + n), block by block of k. */
struct packed {
    float *data;
    int first, n, floats;       /* floats of one strip in one block */
};

/* The part of a product that is being summed: `blocks` of k from unit `from` on. */
struct part {
    const struct product *q;
    int from, units, blocks;
};

static float *strip_at(const struct packed *s, int strip, int block)
{
    return s->data + ((ptrdiff_t)block * s->n + strip - s->first) * s->floats;
}

INLINE int units_of(const enum precision p, int k) { return is_pair(p) ? (k + 1) / 2 : k; }

INLINE int units_in(const enum precision p, const struct part *s, int block)
{
    return min_int(deep_of(p), s->units - block * deep_of(p));
}

/* Of a turned left operand. */
INLINE void add_sums(const struct product *q, int row, int have, int from, int deep)
{
    const struct numbers a = q->a.x;
    for (int k = from; k < from + deep; k++) {
        float room[DOWN];
        const float *x = open_numbers(numbers_from(a, k, row), have, room);
        for (int i = 0; i < have; i++)
            q->sums[row + i] += x[i];
    }
}

/* Stacked rows [units][DOWN] in groups of ROWS. */
INLINE void group(const int depth, const float *in, int units, float *out)
{
    for (int k = 0; k < units; k++)
        for (int i = 0; i < DOWN; i += ROWS)
            for (int r = 0; r < ROWS; r++)
                out[i * depth + k * ROWS + r] = in[k * DOWN + i + r];
}

/* Whether the left operand is multiplied as it lies. */
INLINE int is_loose(const enum precision p, const struct product *q)
{
    return !q->a.turned && q->m % block_rows(p) == 0
        && (p != PRECISION_BF16
            || (is_paired(q->a.x) && q->k % (2 * depth_step(p)) == 0));
}

/* Rows [row, row + DOWN) of the left operand: plain, or if it is turned, but for the tile unit,
 * groups of ROWS, each stacked, [units][ROWS]. */
INLINE void pack_left(const enum precision p, const struct part *s, const struct packed *to,
                      int strip)
{
    const struct product *q = s->q;
    const int u = is_pair(p) ? 2 : 1, depth = deep_of(p);
    const int row = strip * DOWN, have = min_int(DOWN, q->m - row);
    const struct numbers a = q->a.x;
    if (is_loose(p, q))
        return;
    for (int b = 0; b < s->blocks; b++) {
        const int units = units_in(p, s, b), padded = round_up(units, LANES);
        const int from = (s->from + b * depth) * u, deep = min_int(units * u, q->k - from);
        float *out = strip_at(to, strip, b), temp[DEEP * DOWN];
        if (q->a.turned) {
            pack_stacked(p, numbers_from(a, from, row), deep, have, temp, DOWN, padded * u);
            if (is_tile(p))
                turn(temp, DOWN, padded, DOWN, out, depth);
            else
                group(depth, temp, units, out);
        } else {
            pack_plain(p, numbers_from(a, row, from), have, deep, out, depth, padded, DOWN);
        }
        if (q->sums)
            add_sums(q, row, have, from, deep);
    }
}

/* A panel of the right operand, stacked. */
INLINE void pack_right(const enum precision p, const int panel, const struct part *s,
                       const struct packed *to, int strip)
{
    const struct product *q = s->q;
    const int u = is_pair(p) ? 2 : 1, depth = deep_of(p);
    const int col = strip * panel, have = min_int(panel, q->n - col);
    const struct numbers matrix = q->b.x;
    for (int b = 0; b < s->blocks; b++) {
        const int units = units_in(p, s, b), padded = round_up(units, LANES);
        const int from = (s->from + b * depth) * u, deep = min_int(units * u, q->k - from);
        float *out = strip_at(to, strip, b), temp[DEEP * 3 * LANES];
        if (!q->b.turned) {
            pack_stacked(p, numbers_from(matrix, from, col), deep, have, out, panel,
                         round_up(units, depth_step(p)) * u);
            continue;
        }
        const struct numbers rows = numbers_from(matrix, col, from);
        if (p == PRECISION_F32 && have == panel && deep == padded) {
            turn(rows.at, rows.ld, panel, padded, out, panel);
            continue;
        }
        pack_plain(p, rows, have, deep, temp, depth, padded, panel);
        turn(temp, depth, panel, padded, out, panel);
    }
}

/* Sums that are to be stored in bf16, of a part of c from (row, col) on, rows `ld` apart. */
struct aside {
    float *sums;
    int row, col, ld;
};

/* The sums of c [rows, n] from (row, col) on to where they belong. */
INLINE void end_aside(const struct product *q, int row, int col, int rows, int n,
                      const float *sums, ptrdiff_t ld)
{
    for (int r = 0; r < rows; r++) {
        uint16_t *c = numbers_from(q->c, row + r, col).at;
        for (int e = 0; e < n; e += LANES) {
            const int have = min_int(LANES, n - e);
            const vec more = q->add ? load_n(1, c, e, have)
                           : q->bias ? load_n(0, q->bias + col, e, have) : splat(0);
            store_n(1, c, e, have, load(sums + r * ld + e) + more);
        }
    }
}

/* Which block of k it is. */
enum { FIRST = 1, LAST = 2 };

/* Rows [row, row + have) of c by one panel, over one block of k; a unit of the left operand is at
 * left[i * ai + k * ak]. */
INLINE void multiply_block(const enum precision p, const int vecs, const struct product *q,
                           const struct aside *s, int row, int col, int units, const float *left,
                           ptrdiff_t ai, ptrdiff_t ak, const float *right, unsigned which)
{
    const int panel = vecs * LANES, rows = block_rows(p), add = q->add || !(which & FIRST);
    const int have = min_int(rows, q->m - row), n = min_int(panel, q->n - col);
    if (s) {
        float *c = s->sums + (ptrdiff_t)(row - s->row) * s->ld + col - s->col;
        block(p, vecs, units, left, ai, ak, right, panel, which & FIRST ? tile_zeros : c,
              which & FIRST ? 0 : s->ld, c, s->ld);
        if (which & LAST)
            end_aside(q, row, col, have, n, c, s->ld);
        return;
    }
    const int whole = have == rows && n == panel;
    float *c = numbers_from(q->c, row, col).at, edge[32 * 3 * LANES];
    const float *first = add ? c : q->bias ? q->bias + col : tile_zeros;
    const ptrdiff_t ld_first = add ? q->c.ld : 0;

    block(p, vecs, units, left, ai, ak, right, panel,
          whole ? first : tile_zeros, whole ? ld_first : 0, whole ? c : edge,
          whole ? q->c.ld : panel);
    for (int r = 0; !whole && r < have; r++)
        for (int e = 0; e < n; e++)
            c[r * q->c.ld + e] = first[r * ld_first + e] + edge[r * panel + e];
}

/* Strips [r, r_end) of rows times panels [c, c_end), part by part of c; `plain`: the form of the
 * left operand. */
INLINE void multiply_strips(const enum precision p, const int vecs, const int plain,
                            const struct part *s, const struct packed *left,
                            const struct packed *right, int r, int r_end, int c, int c_end)
{
    const struct product *q = s->q;
    const struct numbers matrix = q->a.x;
    const int rows = block_rows(p), deep = deep_of(p), loose = plain && is_loose(p, q);
    const int u = is_pair(p) ? 2 : 1, panel = vecs * LANES, most = STRIPS * panel;
    const ptrdiff_t ai = loose ? q->a.x.ld / u : plain ? deep : 1;
    float *sums = q->c.narrow ? scratch(SCRATCH_SUMS, STRIPS * DOWN * (size_t)most) : NULL;
    for (int i = r; i < r_end; i += STRIPS)
        for (int j = c; j < c_end; j += STRIPS)
            for (int b = 0; b < s->blocks; b++)
                for (int row = i * DOWN; row < min_int(q->m, min_int(i + STRIPS, r_end) * DOWN);
                     row += rows) {
                    const float *a = loose
                                   ? numbers_from(matrix, row, (s->from + b * deep) * u).at
                                   : strip_at(left, row / DOWN, b) + row % DOWN * deep;
                    const unsigned which = (s->from + b == 0 ? FIRST : 0)
                                         | (b == s->blocks - 1 ? LAST : 0);
                    for (int col = j; col < min_int(j + STRIPS, c_end); col++) {
                        const struct aside one = {sums, row, col * panel, panel};
                        const struct aside all = {sums, i * DOWN, j * panel, most};
                        multiply_block(p, vecs, q, !sums ? NULL : s->blocks == 1 ? &one : &all,
                                       row, col * panel,
                                       round_up(units_in(p, s, b), depth_step(p)), a, ai,
                                       plain ? 1 : ROWS, strip_at(right, col, b), which);
                    }
                }
}

/* What differs by precision, width of a panel and form of the left operand, each compiled for its
 * own. */
struct kit {
    enum precision precision;
    int panel, depth;           /* columns; units of k in a block */
    void (*left)(const struct part *, const struct packed *, int strip);
    void (*right)(const struct part *, const struct packed *, int strip);
    void (*multiply)(const struct part *, const struct packed *left, const struct packed *right,
                     int r, int r_end, int c, int c_end);
};

#define KIT(name, p, vecs, plain)                                                                 \
    static void name##_left(const struct part *s, const struct packed *to, int strip)             \
    {                                                                                             \
        pack_left(p, s, to, strip);                                                               \
    }                                                                                             \
    static void name##_right(const struct part *s, const struct packed *to, int strip)            \
    {                                                                                             \
        pack_right(p, (vecs) * LANES, s, to, strip);                                              \
    }                                                                                             \
    static void name##_multiply(const struct part *s, const struct packed *left,                  \
                                const struct packed *right, int r, int r_end, int c, int c_end)   \
    {                                                                                             \
        multiply_strips(p, vecs, plain, s, left, right, r, r_end, c, c_end);                      \
    }                                                                                             \
    static const struct kit name = {                                                              \
        p, (vecs) * LANES, TILES && p == PRECISION_BF16 ? DEEP_TILE : DEEP,                       \
        name##_left, name##_right, name##_multiply,                                               \
    };

KIT(full, PRECISION_F32, 2, 0)
KIT(full_wide, PRECISION_F32, VECS, 0)
KIT(full_plain, PRECISION_F32, 2, 1)
KIT(full_wide_plain, PRECISION_F32, VECS, 1)
KIT(half_plain, PRECISION_BF16, 2, 1)
#if defined __AMX_BF16__
#define half half_plain
#define half_wide half_plain
#define half_wide_plain half_plain
#else
KIT(half, PRECISION_BF16, 2, 0)
KIT(half_wide, PRECISION_BF16, VECS, 0)
KIT(half_wide_plain, PRECISION_BF16, VECS, 1)
#endif

/* Strips [t, end) of the operand that has more of them, times the other. */
static void task(const struct kit *kit, const struct part *s, const struct packed *shared,
                 int shared_left, int t, int end)
{
    const int floats = kit->depth * (shared_left ? kit->panel : DOWN);
    const struct packed own = {
        scratch(SCRATCH_OWN, (size_t)floats * (size_t)(s->blocks * (end - t))), t, end - t, floats,
    };
    for (int i = t; i < end; i++)
        (shared_left ? kit->right : kit->left)(s, &own, i);
    if (shared_left)
        kit->multiply(s, shared, &own, 0, shared->n, t, end);
    else
        kit->multiply(s, &own, shared, t, end, 0, shared->n);
}

/* The next strips of n to be done, [result, *end); fewer at a time towards the end, so that no
 * thread waits long for the others. */
static int grab(int *next, int n, int *end)
{
    int from = __atomic_load_n(next, __ATOMIC_RELAXED);
    do
        *end = min_int(n, from + min_int(STRIPS, 1 + (n - from) / (2 * omp_get_num_threads())));
    while (from < n && !__atomic_compare_exchange_n(next, &from, *end, 0, __ATOMIC_RELAXED,
                                                    __ATOMIC_RELAXED));
    return from;
}

static void multiply(const struct kit *kit, const struct product *q)
{
    const int units = units_of(kit->precision, q->k), shared_left = q->m < q->n;
    const int rows = (q->m + DOWN - 1) / DOWN, cols = (q->n + kit->panel - 1) / kit->panel;
    const int n = shared_left ? cols : rows;
    const int blocks = (units + kit->depth - 1) / kit->depth;
    const int most = (q->c.narrow ? blocks : BLOCKS) * kit->depth;
    const int large = (size_t)q->m * (size_t)q->n * (size_t)q->k > 16 * PARALLEL;
    int next;
    struct packed shared = {
        .n = shared_left ? rows : cols, .floats = kit->depth * (shared_left ? DOWN : kit->panel),
    };
    shared.data = scratch(SCRATCH_SHARED, (size_t)shared.n * (size_t)shared.floats
                          * (size_t)min_int(most / kit->depth, blocks));

    #pragma omp parallel if (large)
    for (int from = 0; from < units; from += most) {
        const int now = min_int(most, units - from);
        const struct part s = {q, from, now, (now + kit->depth - 1) / kit->depth};
        start_tiles(kit->precision);
        #pragma omp single nowait
        next = 0;
        #pragma omp for schedule(dynamic)
        for (int i = 0; i < shared.n; i++)
            (shared_left ? kit->left : kit->right)(&s, &shared, i);
        for (int t, end; (t = grab(&next, n, &end)) < n; )
            task(kit, &s, &shared, shared_left, t, end);
        #pragma omp barrier
    }
}

void KERNEL(product)(const struct product *q)
{
    static const struct kit *const kits[2][2][2] = {   /* bf16, plain, wide */
        {{&full, &full_wide}, {&full_plain, &full_wide_plain}},
        {{&half, &half_wide}, {&half_plain, &half_wide_plain}},
    };
    const int bf16 = q->precision == PRECISION_BF16, wide = q->n % (VECS * LANES) == 0;
    if (!KERNEL(product_few)(q))
        multiply(kits[bf16][!q->a.turned][wide], q);
}
