/* attention.c - scaled dot-product attention; no [tq, tk] matrix is stored.
 *
 * A thread owns one head of one sequence at a time: its queries, keys and values are packed
 * (tile.h) and multiplied in registers.  Forward takes a strip of queries over all keys they
 * see; backward goes tile by tile, keys outside, and recomputes the probabilities. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/tile.h"
#include "kernels/scratch.h"
#include <math.h>
#include <string.h>

enum { STRIP = 16, TILE = 64 };     /* queries of a strip; queries and keys of a tile */

/* One head of one sequence. */
struct head {
    const struct attention_args *a;
    int b, h, d;
    int wide;                       /* d padded to whole vectors */
    int deep, units;                /* units of d, and those padded to whole vectors */
    int keys;                       /* there are to see */
    float scale;
};

static struct head head_of(const struct attention_args *a, enum precision p, int b, int h)
{
    const int d = a->q->cols / a->heads, deep = is_pair(p) ? (d + 1) / 2 : d;
    return (struct head){
        .a = a, .b = b, .h = h, .d = d, .wide = round_up(d, LANES), .deep = deep,
        .units = round_up(deep, LANES), .keys = a->lengths ? ints(a->lengths)[b] : a->tk,
        .scale = 1 / sqrtf((float)d),
    };
}

/* The next n floats of a thread's memory. */
static float *take(float **memory, ptrdiff_t n)
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

/* Multiply row i's probabilities of keys [from, from + n) by dropout's scales. */
static void drop(const struct head *s, int i, int from, int n, float *restrict x)
{
    float scale[TILE];
    for (int done = 0; done < n; done += TILE) {
        const int w = min_int(TILE, n - done);
        const uint64_t line = ((uint64_t)s->b * (uint64_t)s->a->heads + (uint64_t)s->h)
                            * (uint64_t)s->a->tq + (uint64_t)i;
        KERNEL(dropout_scales)(s->a->draw, s->a->site, s->a->p,
                               line * (uint64_t)s->a->tk + (uint64_t)(from + done), w, scale);
        for (int j = 0; j < w; j++)
            x[done + j] *= scale[j];
    }
}

static inline int drops(const struct head *s) { return s->a->draw && s->a->p > 0; }

/* First number of this head in the sequence's row i of a tensor with `time` rows a sequence. */
static inline float *at(const struct head *s, const struct tensor *t, float *floats, int time,
                        int i)
{
    return tensor_row(t, floats, s->b * time + i) + s->h * s->d;
}

/* Rows [from, from + TILE) of x, of which `have` exist, turned: [units][TILE]. */
INLINE void pack_turned_tile(const enum precision p, const struct head *s, const float *x,
                             ptrdiff_t ld, int have, float *out, float *temp)
{
    pack_plain(p, x, ld, have, s->d, temp, s->units, s->units, TILE);
    turn(temp, s->units, TILE, s->units, out, TILE);
}

/* x[n .. end) = 0; end is whole vectors. */
static inline void clear(float *x, int n, int end)
{
    if (n % LANES)
        store_part(x + n, splat(0), LANES - n % LANES);
    for (n = round_up(n, LANES); n < end; n += LANES)
        store(x + n, splat(0));
}

/* Softmax of the scores of row i in place, of `width` columns, whole vectors, of which it sees n;
 * dropped where asked; the sum of the exponentials before dropping, and the largest score. */
static float soften(const struct head *s, int i, float *x, int n, int width, float *most)
{
    const int whole = n - n % LANES, end = n % LANES;
    vec tops = splat(-INFINITY), sums = splat(0);

    for (int j = 0; j < whole; j += LANES)
        tops = larger(tops, load(x + j));
    if (end)
        tops = larger(tops, load_part(x + whole, end, -INFINITY));
    const float top = largest_of(tops);
    for (int j = 0; j < whole; j += LANES) {
        const vec e = exp_vec((load(x + j) - top) * s->scale);
        store(x + j, e);
        sums += e;
    }
    if (end) {
        const vec e = exp_vec((load(x + whole) - top) * s->scale);
        store_part(x + whole, e, end);
        sums += load_part(x + whole, end, 0);
    }
    clear(x, n, width);
    if (drops(s))
        drop(s, i, 0, n, x);
    *most = s->scale * top;
    return sum_of(sums);
}

/* y and lse of queries [from, from + have), have <= STRIP. */
INLINE void strip_forward(const enum precision p, const struct head *s, int from, int have,
                          const float *kt, const float *v, float *memory)
{
    const struct attention_args *a = s->a;
    const int limit = seen(s, from + have - 1), width = round_up(limit, 2 * LANES);
    const int ld = width + LANES, rows = round_up(have, ROWS);
    float *q = take(&memory, STRIP * s->units), *y = take(&memory, STRIP * s->wide);
    float *scores = take(&memory, STRIP * ld), *packed = scores, sum[STRIP], most[STRIP];

    pack_plain(p, at(s, a->q, a->q->data, a->tq, from), a->q->ld, have, s->d, q, s->units,
               s->units, rows);
    for (int j = 0; j < width; j += TILE)
        tile_mul(is_pair(p), rows, min_int(TILE, width - j), s->deep, q, s->units, 1,
                 kt + (ptrdiff_t)j * s->units, TILE, scores + j, ld, 0);
    for (int r = 0; r < rows; r++)
        sum[r] = soften(s, from + r, scores + r * ld, r < have ? seen(s, from + r) : 0, width,
                        &most[r]);
    if (p == PRECISION_BF16) {
        packed = take(&memory, STRIP * ld);
        pack_plain(p, scores, ld, rows, width, packed, ld, ld, rows);
    }
    tile_mul(is_pair(p), rows, s->wide, is_pair(p) ? width / 2 : width, packed, ld, 1,
             v, s->wide, y, s->wide, 0);
    for (int r = 0; r < have; r++) {
        float *to = at(s, a->y, a->y->data, a->tq, from + r);
        const float part = seen(s, from + r) ? 1 / sum[r] : 0;
        for (int e = 0; e < s->d; e++)
            to[e] = part * y[r * s->wide + e];
        row(a->lse, s->b * a->tq + from + r)[s->h] = most[r] + logf(sum[r]);
    }
}

INLINE void head_forward(const enum precision p, const struct attention_args *a, int b, int h)
{
    const struct head s = head_of(a, p, b, h);
    const int tk = round_up(a->tk, TILE);
    float *memory = scratch(SCRATCH_HEAD, (size_t)(tk + 2 * STRIP) * (size_t)(s.units + s.wide)
                            + (size_t)(2 * STRIP) * (size_t)(tk + TILE) + TILE * (size_t)s.units);
    float *kt = take(&memory, tk * s.units), *v = take(&memory, tk * s.wide);

    for (int j = 0; j < s.keys; j += TILE) {
        const int have = min_int(TILE, s.keys - j);
        pack_turned_tile(p, &s, at(&s, a->k, a->k->data, a->tk, j), a->k->ld, have,
                         kt + (ptrdiff_t)j * s.units, memory);
        pack_stacked(p, at(&s, a->v, a->v->data, a->tk, j), a->v->ld, have, s.d,
                     v + (ptrdiff_t)(is_pair(p) ? j / 2 : j) * s.wide, s.wide, TILE);
    }
    for (int i = 0; i < a->tq; i += STRIP)
        strip_forward(p, &s, i, min_int(STRIP, a->tq - i), kt, v, memory);
}

/* What backward keeps packed: all queries and gradients of y, one tile of keys and values,
 * and one tile of probabilities P and of score gradients G. */
struct back {
    float *q, *q_stacked, *dy, *dy_stacked, *dq;    /* [tq][units or wide] */
    float *own;                                     /* dy . y of each query */
    float *kt, *vt, *k, *dk, *dv;                   /* of the tile of keys */
    float *p, *g, *p_stacked, *g_stacked, *g_plain; /* [TILE][TILE] */
    float *temp;
};

static float float_dot(const float *a, const float *b, int n)
{
    float sum = 0;
    #pragma omp simd reduction(+:sum)
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

INLINE struct back back_memory(const enum precision p, const struct head *s)
{
    const ptrdiff_t tq = round_up(s->a->tq, TILE), square = TILE * TILE;
    const ptrdiff_t side = s->units > s->wide ? s->units : s->wide;
    float *memory = scratch(SCRATCH_HEAD, (size_t)(5 * tq * side + tq + 6 * TILE * side
                                                   + 5 * square + 32 * 16));
    struct back m = {
        .q = take(&memory, tq * s->units), .dy = take(&memory, tq * s->units),
        .dq = take(&memory, tq * s->wide), .own = take(&memory, tq),
        .kt = take(&memory, TILE * s->units), .vt = take(&memory, TILE * s->units),
        .k = take(&memory, TILE * s->wide), .dk = take(&memory, TILE * s->wide),
        .dv = take(&memory, TILE * s->wide), .temp = take(&memory, TILE * s->units),
        .p = take(&memory, square), .g = take(&memory, square),
    };
    m.q_stacked = m.q, m.dy_stacked = m.dy;         /* in f32 the forms are the same */
    m.p_stacked = m.p, m.g_stacked = m.g_plain = m.g;
    if (p == PRECISION_BF16) {
        m.q_stacked = take(&memory, tq * s->wide);
        m.dy_stacked = take(&memory, tq * s->wide);
        m.p_stacked = take(&memory, square);
        m.g_stacked = take(&memory, square);
        m.g_plain = take(&memory, square);
    }
    return m;
}

INLINE void pack_queries(const enum precision p, const struct head *s, const struct back *m)
{
    const struct attention_args *a = s->a;
    const float *q = at(s, a->q, a->q->data, a->tq, 0), *dy = at(s, a->y, a->y->grad, a->tq, 0);
    const int tq = round_up(a->tq, TILE);

    pack_plain(p, q, a->q->ld, a->tq, s->d, m->q, s->units, s->units, tq);
    pack_plain(p, dy, a->y->ld, a->tq, s->d, m->dy, s->units, s->units, tq);
    if (p == PRECISION_BF16) {
        pack_stacked(p, q, a->q->ld, a->tq, s->d, m->q_stacked, s->wide, tq);
        pack_stacked(p, dy, a->y->ld, a->tq, s->d, m->dy_stacked, s->wide, tq);
    }
    for (int i = 0; i < a->tq; i++)
        m->own[i] = float_dot(at(s, a->y, a->y->grad, a->tq, i),
                              at(s, a->y, a->y->data, a->tq, i), s->d);
    for (ptrdiff_t i = 0; i < (ptrdiff_t)tq * s->wide; i++)
        m->dq[i] = 0;
}

/* From scores and dy v' of query i and the n keys it sees from `key` on:
 * P = dropped p, G = scale p (dropped dy v' - dy y), p = exp(score - lse). */
static void soften_backward(const struct head *s, int i, int key, int n, float own, float *p,
                            float *g)
{
    const float lse = row(s->a->lse, s->b * s->a->tq + i)[s->h];
    if (n < 0)
        n = 0;
    if (drops(s))
        drop(s, i, key, n, g);
    for (int j = 0; j < n; j += LANES) {        /* what is beyond n is cleared below */
        const vec e = exp_vec(load(p + j) * s->scale - lse);
        store(p + j, e);
        store(g + j, e * (load(g + j) - own) * s->scale);
    }
    if (drops(s))
        drop(s, i, key, n, p);
    clear(p, n, TILE);
    clear(g, n, TILE);
}

/* P and G of the `have` queries from i on and the keys from j on. */
INLINE void tile_probabilities(const enum precision p, const struct head *s, const struct back *m,
                               int i, int j, int have)
{
    for (int r = 0; r < have; r += STRIP) {
        const int last = min_int(r + STRIP, have) - 1;
        const int n = min_int(TILE, round_up(seen(s, i + last) - j, 2 * LANES));
        if (n > 0) {
            tile_mul(is_pair(p), STRIP, n, s->deep, m->q + (ptrdiff_t)(i + r) * s->units,
                     s->units, 1, m->kt, TILE, m->p + r * TILE, TILE, 0);
            tile_mul(is_pair(p), STRIP, n, s->deep, m->dy + (ptrdiff_t)(i + r) * s->units,
                     s->units, 1, m->vt, TILE, m->g + r * TILE, TILE, 0);
        }
        for (int k = r; k <= last; k++)
            soften_backward(s, i + k, j, min_int(TILE, seen(s, i + k) - j), m->own[i + k],
                            m->p + k * TILE, m->g + k * TILE);
    }
}

/* dv += P' dy, dk += G' q, dq += G k of one tile; parts where no query sees a key are left out. */
INLINE void tile_gradients(const enum precision p, const struct head *s, const struct back *m,
                           int i, int j, int have)
{
    const int u = is_pair(p) ? 2 : 1, end = (have + u - 1) / u;
    const ptrdiff_t first = (ptrdiff_t)(i / u) * s->wide;

    if (p == PRECISION_BF16) {
        pack_stacked(p, m->p, TILE, have, TILE, m->p_stacked, TILE, TILE);
        pack_stacked(p, m->g, TILE, have, TILE, m->g_stacked, TILE, TILE);
        pack_plain(p, m->g, TILE, have, TILE, m->g_plain, TILE, TILE, TILE);
    }
    for (int t = 0; t < TILE && j + t < s->keys; t += STRIP) {
        const int see = s->a->causal ? j + t - s->keys + s->a->tq - i : 0;  /* first that does */
        const int from = see > 0 ? min_int(see / u, end) : 0, n = end - from;
        tile_mul(is_pair(p), STRIP, s->wide, n, m->p_stacked + from * TILE + t, 1, TILE,
                 m->dy_stacked + first + from * s->wide, s->wide, m->dv + t * s->wide, s->wide, 1);
        tile_mul(is_pair(p), STRIP, s->wide, n, m->g_stacked + from * TILE + t, 1, TILE,
                 m->q_stacked + first + from * s->wide, s->wide, m->dk + t * s->wide, s->wide, 1);
    }
    for (int r = 0; r < have; r += STRIP) {
        const int n = min_int(TILE, seen(s, i + min_int(r + STRIP, have) - 1) - j);
        if (n > 0)
            tile_mul(is_pair(p), round_up(min_int(STRIP, have - r), ROWS), s->wide,
                     (n + u - 1) / u, m->g_plain + r * TILE, TILE, 1, m->k, s->wide,
                     m->dq + (ptrdiff_t)(i + r) * s->wide, s->wide, 1);
    }
}

/* Add the first n rows of a packed gradient to a tensor's, from its row i on, or store them. */
static void give(const struct head *s, const struct tensor *t, int time, int i, int n,
                 const float *sums)
{
    for (int r = 0; r < n && wants_grad(t); r++) {
        float *restrict to = at(s, t, t->grad, time, i + r);
        for (int e = 0; e < s->d; e++)
            to[e] = (t->fresh ? 0 : to[e]) + sums[(ptrdiff_t)r * s->wide + e];
    }
}

/* Keys that no query sees have no gradient. */
static void give_nothing(const struct head *s, const struct tensor *t)
{
    for (int i = s->keys; i < s->a->tk && wants_grad(t) && t->fresh; i++)
        memset(at(s, t, t->grad, s->a->tk, i), 0, (size_t)s->d * sizeof(float));
}

/* p = exp(score - lse);  dv += p' dy;  G = p (dy v' - dy y);  dq += G k;  dk += G' q. */
INLINE void head_backward(const enum precision p, const struct attention_args *a, int b, int h)
{
    const struct head s = head_of(a, p, b, h);
    const struct back m = back_memory(p, &s);

    pack_queries(p, &s, &m);
    for (int j = 0; j < s.keys; j += TILE) {
        const int have = min_int(TILE, s.keys - j);
        const float *k = at(&s, a->k, a->k->data, a->tk, j);
        pack_turned_tile(p, &s, k, a->k->ld, have, m.kt, m.temp);
        pack_turned_tile(p, &s, at(&s, a->v, a->v->data, a->tk, j), a->v->ld, have, m.vt, m.temp);
        pack_stacked(p, k, a->k->ld, have, s.d, m.k, s.wide, TILE);
        for (int e = 0; e < TILE * s.wide; e++)
            m.dk[e] = m.dv[e] = 0;
        for (int i = 0; i < a->tq; i += TILE) {
            const int queries = min_int(TILE, a->tq - i);
            if (seen(&s, i + queries - 1) > j) {
                tile_probabilities(p, &s, &m, i, j, queries);
                tile_gradients(p, &s, &m, i, j, queries);
            }
        }
        give(&s, a->k, a->tk, j, have, m.dk);
        give(&s, a->v, a->tk, j, have, m.dv);
    }
    give(&s, a->q, a->tq, 0, a->tq, m.dq);
    give_nothing(&s, a->k);
    give_nothing(&s, a->v);
}

static void forward_f32(const struct attention_args *a, int b, int h)
{
    head_forward(PRECISION_F32, a, b, h);
}
static void forward_bf16(const struct attention_args *a, int b, int h)
{
    head_forward(PRECISION_BF16, a, b, h);
}
static void backward_f32(const struct attention_args *a, int b, int h)
{
    head_backward(PRECISION_F32, a, b, h);
}
static void backward_bf16(const struct attention_args *a, int b, int h)
{
    head_backward(PRECISION_BF16, a, b, h);
}

static void each_head(const struct attention_args *a,
                      void (*f)(const struct attention_args *, int b, int h))
{
    const int heads = a->q->rows / a->tq * a->heads;
    #pragma omp parallel for schedule(dynamic) \
            if ((size_t)heads * (size_t)a->tq * (size_t)a->tk > PARALLEL / 8)
    for (int i = 0; i < heads; i++)
        f(a, i / a->heads, i % a->heads);
}

void KERNEL(attention_forward)(const struct attention_args *a)
{
    each_head(a, a->precision == PRECISION_BF16 ? forward_bf16 : forward_f32);
}

void KERNEL(attention_backward)(const struct attention_args *a)
{
    each_head(a, a->precision == PRECISION_BF16 ? backward_bf16 : backward_f32);
}
