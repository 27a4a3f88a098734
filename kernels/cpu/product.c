/* product.c - matrix products, block by block in registers.
 *
 * Operands are packed (tile.h) in strips, DEEP units of k at a time, but for a left one that can
 * be multiplied as it lies.  All threads pack the one with fewer strips; then each takes runs of
 * strips of the other as they come free, packs them, and multiplies them by all of the first.  An
 * element is summed by one thread in the order of k, so its bits do not depend on their number.
 * What is to be stored in bf16 is summed in f32 aside, part by part.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/product_inside.h"
#include "kernels/cpu/tile.h"
#include "kernels/scratch.h"
#include <omp.h>

enum {
    DEEP = 384,         /* units of k in a block: its panel stays in the second cache */
    BLOCKS = 8,         /* of k packed at a time */
    STRIPS = 4,         /* multiplied while a part of c stays in the second cache */
    OWN = 1 << 18,      /* floats of a thread's own strips: half a second cache of 2 MiB */
};

/* Stacked rows [units][DOWN] in groups of ROWS. */
INLINE void group(const float *in, int units, float *out)
{
    for (int k = 0; k < units; k++)
        for (int i = 0; i < DOWN; i += ROWS)
            for (int r = 0; r < ROWS; r++)
                out[i * DEEP + k * ROWS + r] = in[k * DOWN + i + r];
}

/* Whether the left operand is multiplied as it lies. */
INLINE int is_loose(const enum precision p, const struct product *q)
{
    return !q->a.turned && q->m % ROWS == 0
        && (p != PRECISION_BF16 || (is_paired(q->a.x) && q->k % 2 == 0));
}

/* Rows [row, row + DOWN) of the left operand: plain, or if it is turned, groups of ROWS, each
 * stacked, [units][ROWS]. */
INLINE void pack_left(const enum precision p, const struct part *s, const struct packed *to,
                      int strip)
{
    const struct product *q = s->q;
    const int u = in_unit(p);
    const int row = strip * DOWN, have = min_int(DOWN, q->m - row);
    const struct numbers a = q->a.x;
    if (is_loose(p, q))
        return;
    for (int b = 0; b < s->blocks; b++) {
        const int units = units_in(s, b), padded = round_up(units, LANES);
        const int from = (s->from + b * s->deep) * u, deep = min_int(units * u, q->k - from);
        float *out = strip_at(to, strip, b), temp[DEEP * DOWN];
        if (q->a.turned) {
            pack_stacked(p, numbers_from(a, from, row), deep, have, temp, DOWN, padded * u);
            group(temp, units, out);
        } else {
            pack_plain(p, numbers_from(a, row, from), have, deep, out, DEEP, padded, DOWN);
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
    const int u = in_unit(p);
    const int col = strip * panel, have = min_int(panel, q->n - col);
    const struct numbers matrix = q->b.x;
    for (int b = 0; b < s->blocks; b++) {
        const int units = units_in(s, b), padded = round_up(units, LANES);
        const int from = (s->from + b * s->deep) * u, deep = min_int(units * u, q->k - from);
        float *out = strip_at(to, strip, b), temp[DEEP * 3 * LANES];
        if (!q->b.turned) {
            pack_stacked(p, numbers_from(matrix, from, col), deep, have, out, panel, units * u);
            continue;
        }
        const struct numbers rows = numbers_from(matrix, col, from);
        if (p == PRECISION_F32 && have == panel && deep == padded) {
            turn(rows.at, rows.ld, panel, padded, out, panel);
            continue;
        }
        pack_plain(p, rows, have, deep, temp, DEEP, padded, panel);
        turn(temp, DEEP, panel, padded, out, panel);
    }
}

/* Sums that are to be stored in bf16, of a part of c from (row, col) on, rows `ld` apart. */
struct aside {
    float *sums;
    int row, col, ld;
};

/* Which block of k it is. */
enum { FIRST = 1, LAST = 2 };

/* Rows [row, row + have) of c by one panel, over one block of k; a unit of the left operand is at
 * left[i * ai + k * ak]. */
INLINE void multiply_block(const enum precision p, const int vecs, const struct product *q,
                           const struct aside *s, int row, int col, int units, const float *left,
                           ptrdiff_t ai, ptrdiff_t ak, const float *right, unsigned which)
{
    const int panel = vecs * LANES, add = q->add || !(which & FIRST);
    const int have = min_int(ROWS, q->m - row), n = min_int(panel, q->n - col);
    if (s) {
        float *c = s->sums + (ptrdiff_t)(row - s->row) * s->ld + col - s->col;
        vector_block(vecs, is_pair(p), units, left, ai, ak, right, panel,
                     which & FIRST ? tile_zeros : c, which & FIRST ? 0 : s->ld, c, s->ld);
        if (which & LAST)
            end_sums(1, q, row, col, have, n, c, s->ld, q->add);
        return;
    }
    const int whole = have == ROWS && n == panel;
    float *c = numbers_from(q->c, row, col).at, edge[ROWS * 3 * LANES];
    const float *first = add ? c : q->bias ? q->bias + col : tile_zeros;
    const ptrdiff_t ld_first = add ? q->c.ld : 0;

    vector_block(vecs, is_pair(p), units, left, ai, ak, right, panel,
                 whole ? first : tile_zeros, whole ? ld_first : 0, whole ? c : edge,
                 whole ? q->c.ld : panel);
    for (int r = 0; !whole && r < have; r++)
        for (int e = 0; e < n; e++)
            c[r * q->c.ld + e] = first[r * ld_first + e] + edge[r * panel + e];
}

/* Strips of rows times panels, part by part of c; `plain`: the form of the left operand. */
INLINE void multiply_strips(const enum precision p, const int vecs, const int plain,
                            const struct part *s, const struct packed *left,
                            const struct packed *right)
{
    const int r_end = left->first + left->n, c_end = right->first + right->n;
    const struct product *q = s->q;
    const struct numbers matrix = q->a.x;
    const int loose = plain && is_loose(p, q);
    const int u = in_unit(p), panel = vecs * LANES, most = STRIPS * panel;
    const ptrdiff_t ai = loose ? q->a.x.ld / u : plain ? DEEP : 1;
    float *sums = q->c.narrow ? scratch(SCRATCH_SUMS, STRIPS * DOWN * (size_t)most) : NULL;
    for (int i = left->first; i < r_end; i += STRIPS)
        for (int j = right->first; j < c_end; j += STRIPS)
            for (int b = 0; b < s->blocks; b++)
                for (int row = i * DOWN; row < min_int(q->m, min_int(i + STRIPS, r_end) * DOWN);
                     row += ROWS) {
                    const float *a = loose
                                   ? numbers_from(matrix, row, (s->from + b * s->deep) * u).at
                                   : strip_at(left, row / DOWN, b) + row % DOWN * DEEP;
                    const unsigned which = (s->from + b == 0 ? FIRST : 0)
                                         | (b == s->blocks - 1 ? LAST : 0);
                    for (int col = j; col < min_int(j + STRIPS, c_end); col++) {
                        const struct aside one = {sums, row, col * panel, panel};
                        const struct aside all = {sums, i * DOWN, j * panel, most};
                        multiply_block(p, vecs, q, !sums ? NULL : s->blocks == 1 ? &one : &all,
                                       row, col * panel, units_in(s, b), a, ai, plain ? 1 : ROWS,
                                       strip_at(right, col, b), which);
                    }
                }
}

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
                                const struct packed *right, int shared_left)                      \
    {                                                                                             \
        (void)shared_left;                                                                        \
        multiply_strips(p, vecs, plain, s, left, right);                                          \
    }                                                                                             \
    static const struct kit name = {                                                              \
        PAIRS && p == PRECISION_BF16 ? 2 : 1, (vecs) * LANES, DEEP, 1, 1, STRIPS,               \
        name##_left, name##_right, name##_multiply,                                               \
    };

KIT(full, PRECISION_F32, 2, 0)
KIT(full_wide, PRECISION_F32, VECS, 0)
KIT(full_plain, PRECISION_F32, 2, 1)
KIT(full_wide_plain, PRECISION_F32, VECS, 1)
#ifndef __AMX_BF16__
KIT(half, PRECISION_BF16, 2, 0)
KIT(half_wide, PRECISION_BF16, VECS, 0)
KIT(half_plain, PRECISION_BF16, 2, 1)
KIT(half_wide_plain, PRECISION_BF16, VECS, 1)
#endif

static const struct kit *kit_of(const struct product *q)
{
    static const struct kit *const full_kits[2][2] = {       /* plain, wide */
        {&full, &full_wide}, {&full_plain, &full_wide_plain},
    };
    const int plain = !q->a.turned, wide = q->n % (VECS * LANES) == 0;
#ifdef __AMX_BF16__
    const double packed = 1.0 / q->m + 1.0 / q->n;      /* numbers for each that is multiplied */
    if (q->precision == PRECISION_BF16 || packed < 1.0 / 128)
        return &KERNEL(tiles)[q->precision == PRECISION_BF16];
#else
    static const struct kit *const half_kits[2][2] = {
        {&half, &half_wide}, {&half_plain, &half_wide_plain},
    };
    if (q->precision == PRECISION_BF16)
        return half_kits[plain][wide];
#endif
    return full_kits[plain][wide];
}

/* Floats of a packed strip in one block. */
static int strip_floats(const struct kit *kit, int left)
{
    return kit->deep * kit->floats * (left ? DOWN : kit->panel);
}

/* Strips [t, end) of the operand that has more of them, times the other. */
static void task(const struct kit *kit, const struct part *s, const struct packed *shared,
                 int shared_left, int t, int end)
{
    const int floats = strip_floats(kit, !shared_left);
    const struct packed own = {
        scratch(SCRATCH_OWN, (size_t)floats * (size_t)(s->blocks * (end - t))), t, end - t, floats,
    };
    for (int i = t; i < end; i++)
        (shared_left ? kit->right : kit->left)(s, &own, i);
    kit->multiply(s, shared_left ? shared : &own, shared_left ? &own : shared, shared_left);
}

/* The next strips of n to be done, [result, *end), at most `most`; fewer at a time towards the
 * end, so that no thread waits long for the others. */
static int grab(int *next, int n, int least, int most, int *end)
{
    const int threads = omp_get_num_threads();
    int from = __atomic_load_n(next, __ATOMIC_RELAXED);
    do
        *end = min_int(n, from + min_int(most, least + (n - from) / (2 * threads)));
    while (from < n && !__atomic_compare_exchange_n(next, &from, *end, 0, __ATOMIC_RELAXED,
                                                    __ATOMIC_RELAXED));
    return from;
}

/* Strips that a thread takes at a time. */
static int strips_at_once(const struct kit *kit, int floats)
{
    const int fit = OWN / floats;
    return fit < STRIPS ? STRIPS : min_int(fit, kit->strips);
}

static void multiply(const struct kit *kit, const struct product *q)
{
    const int units = (q->k + kit->in_unit - 1) / kit->in_unit, shared_left = q->m < q->n;
    const int rows = (q->m + DOWN - 1) / DOWN, cols = (q->n + kit->panel - 1) / kit->panel;
    const int n = shared_left ? cols : rows;
    const int blocks = (units + kit->deep - 1) / kit->deep;
    const int at_once = q->c.narrow ? blocks : min_int(BLOCKS, blocks);
    const int large = (size_t)q->m * (size_t)q->n * (size_t)q->k > 16 * PARALLEL;
    const int strips = strips_at_once(kit, at_once * strip_floats(kit, !shared_left));
    int next;
    struct packed shared = {
        .n = shared_left ? rows : cols, .floats = strip_floats(kit, shared_left),
    };
    shared.data = scratch(SCRATCH_SHARED, (size_t)shared.n * (size_t)(shared.floats * at_once));

    #pragma omp parallel if (large)
    for (int from = 0; from < units; from += at_once * kit->deep) {
        const int now = min_int(at_once * kit->deep, units - from);
        const int of = (now + kit->deep - 1) / kit->deep;
        const struct part s = {q, from, now, of, round_up((now + of - 1) / of, LANES)};
        const int least = min_int(kit->least, 1 + n / (4 * omp_get_num_threads()));
        #pragma omp single nowait
        next = 0;
        #pragma omp for schedule(dynamic)
        for (int i = 0; i < shared.n; i++)
            (shared_left ? kit->left : kit->right)(&s, &shared, i);
        for (int t, end; (t = grab(&next, n, least, strips, &end)) < n; )
            task(kit, &s, &shared, shared_left, t, end);
        if (from + now < units) {
            #pragma omp barrier
        }
    }
}

void KERNEL(product)(const struct product *q)
{
    if (!KERNEL(product_few)(q))
        multiply(kit_of(q), q);
}
