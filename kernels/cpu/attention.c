/* attention.c - scaled dot-product attention; no [tq, tk] matrix is stored.
 *
 * A thread owns one head of one sequence at a time and takes a strip of its queries over all keys
 * they see.  Scores stand turned, [keys][STRIP]: a vector holds one key and the queries of its
 * lanes, so the softmax needs no sum across lanes, and keys and values are multiplied (tile.h) as
 * they lie where they are f32 and whole blocks.  Backward recomputes the probabilities, tile by
 * tile of keys. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/tile.h"
#include "kernels/scratch.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { SIDE = 2, STRIP = SIDE * LANES, TILE = 64 };     /* queries of a strip, in vectors; keys */

/* One head of one sequence. */
struct head {
    const struct attention_args *a;
    int b, h, d;
    int wide;                       /* d padded to whole vectors */
    int deep, units;                /* units of d, and those padded to whole vectors */
    int keys;                       /* there are to see */
    float scale;
};

/* Rows of a head as an operand, `ld` units apart. */
struct operand {
    const float *data;
    ptrdiff_t ld;
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
static float *carve(float **memory, ptrdiff_t n)
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

/* Keys that each query of the strip from i on sees; queries beyond the last are as the last. */
static void seen_by_lanes(const struct head *s, int i, ivec sees[SIDE])
{
    for (int l = 0; l < STRIP; l++)
        sees[l / LANES][l % LANES] = seen(s, min_int(i + l, s->a->tq - 1));
}

/* This head in the sequence's rows from i on of a tensor with `time` rows a sequence. */
static inline struct numbers at(const struct head *s, const struct tensor *t, float *floats,
                                int time, int i)
{
    return numbers_from(numbers_of(t, floats), s->b * time + i, s->h * s->d);
}

/* The head's `time` rows of t's data or gradient: as they lie, or packed plain or stacked, with
 * zeros up to whole blocks. */
INLINE struct operand operand(const enum precision p, const struct head *s, const struct tensor *t,
                              float *floats, int time, int stacked, float **memory)
{
    const struct numbers x = at(s, t, floats, time, 0);
    const int rows = round_up(time, ROWS);
    if (p == PRECISION_F32 && s->d % LANES == 0 && time % ROWS == 0)
        return (struct operand){x.at, x.ld};
    if (stacked) {
        float *out = carve(memory, (ptrdiff_t)rows * s->wide);
        pack_stacked(p, x, time, s->d, out, s->wide, rows);
        return (struct operand){out, s->wide};
    }
    float *out = carve(memory, (ptrdiff_t)rows * s->units);
    pack_plain(p, x, time, s->d, out, s->units, s->units, rows);
    return (struct operand){out, s->units};
}

/* The strip of `have` rows of x, turned: out [units][STRIP]. */
INLINE void turn_strip(const enum precision p, const struct head *s, struct numbers x, int have,
                       float *out, float *temp)
{
    if (p == PRECISION_F32 && s->d % LANES == 0 && have == STRIP) {
        turn(x.at, x.ld, STRIP, s->d, out, STRIP);
    } else {
        pack_plain(p, x, have, s->d, temp, s->units, s->units, STRIP);
        turn(temp, s->units, STRIP, s->units, out, STRIP);
    }
}

static inline int drops(const struct head *s) { return s->a->draw && s->a->p > 0; }

/* Dropout's scales of the strip from query i on and of keys [j, j + n): out [TILE][STRIP]. */
static void drop_scales(const struct head *s, int i, int j, int n, float *out, float *temp)
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

/* Softmax of turned scores x [width][STRIP] in place; of the strip's queries, of which all see
 * the first `all` keys, the sums of exponentials and the largest scores.  A query that sees
 * nothing has zeros. */
static void soften(const struct head *s, const ivec sees[SIDE], int all, int width, float *x,
                   vec sums[SIDE], vec tops[SIDE])
{
    for (int v = 0; v < SIDE; v++) {
        vec top = splat(-FLT_MAX), sum = splat(0);
        for (int j = 0; j < width; j++) {
            float *to = x + j * STRIP + v * LANES;
            if (j >= all)
                store(to, pick(sees[v] > j, load(to), splat(-INFINITY)));
            top = larger_vec(top, load(to));
        }
        for (int j = 0; j < width; j++) {
            float *to = x + j * STRIP + v * LANES;
            const vec e = exp_vec((load(to) - top) * s->scale);
            store(to, e);
            sum += e;
        }
        sums[v] = sum;
        tops[v] = top;
    }
}

/* y [have, d] = yt' / sums, and lse, of the strip from query i on. */
static void end_strip(const struct head *s, int i, int have, float *yt, const vec sums[SIDE],
                      const vec tops[SIDE], float *temp)
{
    const struct attention_args *a = s->a;
    for (int v = 0; v < SIDE; v++) {
        const vec part = pick(sums[v] == 0, splat(0), 1 / sums[v]);
        for (int e = 0; e < s->d; e++)
            store(yt + e * STRIP + v * LANES, load(yt + e * STRIP + v * LANES) * part);
    }
    turn(yt, STRIP, s->wide, STRIP, temp, s->wide);
    for (int l = 0; l < have; l++) {
        store_numbers(at(s, a->y, a->y->data, a->tq, i + l), s->d, temp + l * s->wide);
        row(a->lse, s->b * a->tq + i + l)[s->h] = s->scale * tops[l / LANES][l % LANES]
                                                + logf(sums[l / LANES][l % LANES]);
    }
}

/* y and lse of queries [i, i + have), have <= STRIP. */
INLINE void strip_forward(const enum precision p, const struct head *s, int i, int have,
                          struct operand k, struct operand v, float *memory)
{
    const struct attention_args *a = s->a;
    const int width = round_up(seen(s, i + have - 1), ROWS);
    float *qt = carve(&memory, s->units * STRIP), *yt = carve(&memory, s->wide * STRIP);
    float *x = carve(&memory, width * STRIP), *packed = x;
    vec sums[SIDE], tops[SIDE];
    ivec sees[SIDE];

    seen_by_lanes(s, i, sees);
    turn_strip(p, s, at(s, a->q, a->q->data, a->tq, i), have, qt, memory);
    tile_mul(is_pair(p), width, STRIP, s->deep, k.data, k.ld, 1, qt, STRIP, x, STRIP, 0);
    soften(s, sees, seen(s, i), width, x, sums, tops);
    for (int j = 0; j < width && drops(s); j += TILE) {
        float *scales = memory;
        drop_scales(s, i, j, min_int(TILE, width - j), scales, memory + TILE * STRIP);
        for (int e = 0; e < min_int(TILE, width - j) * STRIP; e++)
            x[j * STRIP + e] *= scales[e];
    }
    if (p == PRECISION_BF16) {
        packed = carve(&memory, width * STRIP);
        pack_stacked(p, floats_at(x, STRIP), width, STRIP, packed, STRIP, width);
    }
    tile_mul(is_pair(p), round_up(s->d, ROWS), STRIP, is_pair(p) ? width / 2 : width,
             v.data, 1, v.ld, packed, STRIP, yt, STRIP, 0);
    end_strip(s, i, have, yt, sums, tops, memory);
}

/* Floats of a thread's memory for one head, forward or backward. */
static float *head_memory(const struct head *s)
{
    const size_t side = (size_t)(s->units + s->wide), square = TILE * STRIP;
    const size_t tq = (size_t)round_up(s->a->tq, STRIP), tk = (size_t)round_up(s->a->tk, TILE);
    return scratch(SCRATCH_HEAD, 2 * (tq + 2 * tk + 4 * STRIP) * side + 2 * tk * STRIP
                                 + 8 * square + 64 * 16);
}

INLINE void head_forward(const enum precision p, const struct attention_args *a, int b, int h)
{
    const struct head s = head_of(a, p, b, h);
    float *memory = head_memory(&s);
    const struct operand k = operand(p, &s, a->k, a->k->data, a->tk, 0, &memory);
    const struct operand v = operand(p, &s, a->v, a->v->data, a->tk, 1, &memory);
    for (int i = 0; i < a->tq; i += STRIP)
        strip_forward(p, &s, i, min_int(STRIP, a->tq - i), k, v, memory);
}

/* What backward works on: operands, sums, and of one strip and one tile of keys the
 * probabilities P and score gradients G, [TILE][STRIP]; in pairs also packed. */
struct back {
    struct operand k, v, k_stacked, q, dy;      /* keys and values plain, q and dy stacked */
    float *dk, *dv;                             /* [tk][wide] */
    float *qt, *dyt, *dq;                       /* of the strip */
    float *p, *g, *p_plain, *g_plain, *g_stacked;
    float *memory;                              /* what is left */
    vec lse[SIDE], own[SIDE];                   /* own: dy . y of each query */
    ivec sees[SIDE];
};

INLINE struct back start_backward(const enum precision p, const struct head *s)
{
    const struct attention_args *a = s->a;
    const int rows = round_up(a->tk, ROWS) * s->wide, square = TILE * STRIP;
    float *memory = head_memory(s);
    struct back m = {
        .k = operand(p, s, a->k, a->k->data, a->tk, 0, &memory),
        .v = operand(p, s, a->v, a->v->data, a->tk, 0, &memory),
        .q = operand(p, s, a->q, a->q->data, a->tq, 1, &memory),
        .dy = operand(p, s, a->y, a->y->grad, a->tq, 1, &memory),
        .dk = carve(&memory, rows), .dv = carve(&memory, rows),
        .qt = carve(&memory, s->units * STRIP), .dyt = carve(&memory, s->units * STRIP),
        .dq = carve(&memory, STRIP * s->wide),
        .p = carve(&memory, square), .g = carve(&memory, square),
    };
    m.k_stacked = m.k;                  /* but for pairs the forms are the same */
    m.p_plain = m.p, m.g_plain = m.g_stacked = m.g;
    if (p == PRECISION_BF16) {
        if (is_pair(p))
            m.k_stacked = operand(p, s, a->k, a->k->data, a->tk, 1, &memory);
        m.p_plain = carve(&memory, square);
        m.g_plain = carve(&memory, square);
        m.g_stacked = is_pair(p) ? carve(&memory, square) : m.g_plain;
    }
    m.memory = memory;
    memset(m.dk, 0, (size_t)rows * sizeof(float));
    memset(m.dv, 0, (size_t)rows * sizeof(float));
    return m;
}

static float float_dot(const float *a, const float *b, int n)
{
    float sum = 0;
    #pragma omp simd reduction(+:sum)
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The strip of `have` queries from i on; queries beyond are such that P = G = 0. */
INLINE void start_strip(const enum precision p, const struct head *s, struct back *m, int i,
                        int have)
{
    const struct attention_args *a = s->a;
    const struct numbers y = at(s, a->y, a->y->data, a->tq, i);
    const struct numbers dy = at(s, a->y, a->y->grad, a->tq, i);
    float *room = m->memory;
    turn_strip(p, s, at(s, a->q, a->q->data, a->tq, i), have, m->qt, m->memory);
    turn_strip(p, s, dy, have, m->dyt, m->memory);
    seen_by_lanes(s, i, m->sees);
    for (int l = 0; l < STRIP; l++) {
        m->own[l / LANES][l % LANES] = l < have ? float_dot(
            open_numbers(numbers_from(dy, l, 0), s->d, room),
            open_numbers(numbers_from(y, l, 0), s->d, room + s->d), s->d) : 0;
        m->lse[l / LANES][l % LANES] = l < have ? row(a->lse, s->b * a->tq + i + l)[s->h]
                                                : INFINITY;
    }
    memset(m->dq, 0, (size_t)(STRIP * s->wide) * sizeof(float));
}

/* From scores and dy v' of keys [j, j + n):
 * P = dropped p, G = scale p (dropped dy v' - dy y), p = exp(score - lse). */
static void soften_backward(const struct head *s, const struct back *m, int i, int j, int n)
{
    const int all = seen(s, i), dropped = drops(s);
    float *scales = m->memory;
    if (dropped)
        drop_scales(s, i, j, n, scales, m->memory + TILE * STRIP);
    for (int k = 0; k < n; k++)
        for (int v = 0; v < SIDE; v++) {
            const int to = k * STRIP + v * LANES;
            vec e = exp_vec(load(m->p + to) * s->scale - m->lse[v]), g = load(m->g + to);
            if (j + k >= all)
                e = pick(m->sees[v] > j + k, e, splat(0));
            if (dropped)
                g *= load(scales + to);
            store(m->g + to, e * (g - m->own[v]) * s->scale);
            if (dropped)
                e *= load(scales + to);
            store(m->p + to, e);
        }
}

/* dv += P' dy, dk += G' q, dq += G k of the strip from query i on and keys [j, j + n). */
INLINE void tile_backward(const enum precision p, const struct head *s, const struct back *m,
                          int i, int have, int j, int n)
{
    const int u = is_pair(p) ? 2 : 1, deep = (have + u - 1) / u;
    const ptrdiff_t ld = is_pair(p) ? STRIP / 2 : STRIP, to = (ptrdiff_t)j * s->wide;

    tile_mul(is_pair(p), n, STRIP, s->deep, m->k.data + j * m->k.ld, m->k.ld, 1, m->qt, STRIP,
             m->p, STRIP, 0);
    tile_mul(is_pair(p), n, STRIP, s->deep, m->v.data + j * m->v.ld, m->v.ld, 1, m->dyt, STRIP,
             m->g, STRIP, 0);
    soften_backward(s, m, i, j, n);
    if (p == PRECISION_BF16) {
        pack_plain(p, floats_at(m->p, STRIP), n, STRIP, m->p_plain, (int)ld, (int)ld, n);
        pack_plain(p, floats_at(m->g, STRIP), n, STRIP, m->g_plain, (int)ld, (int)ld, n);
        if (is_pair(p))
            pack_stacked(p, floats_at(m->g, STRIP), n, STRIP, m->g_stacked, STRIP, n);
    }
    tile_mul(is_pair(p), n, s->wide, deep, m->p_plain, ld, 1, m->dy.data + i / u * m->dy.ld,
             m->dy.ld, m->dv + to, s->wide, 1);
    tile_mul(is_pair(p), n, s->wide, deep, m->g_plain, ld, 1, m->q.data + i / u * m->q.ld,
             m->q.ld, m->dk + to, s->wide, 1);
    tile_mul(is_pair(p), STRIP, s->wide, n / u, m->g_stacked, 1, STRIP,
             m->k_stacked.data + j / u * m->k_stacked.ld, m->k_stacked.ld, m->dq, s->wide, 1);
}

/* Add the first n rows of a gradient to a tensor's, from its row i on, or store them. */
static void give(const struct head *s, const struct tensor *t, int time, int i, int n,
                 const float *sums, float *room)
{
    for (int r = 0; r < n && wants_grad(t); r++) {
        const struct numbers x = at(s, t, t->grad, time, i + r);
        float *restrict to = open_numbers(x, s->d, room);
        for (int e = 0; e < s->d; e++)
            to[e] = (t->fresh ? 0 : to[e]) + sums[(ptrdiff_t)r * s->wide + e];
        close_numbers(x, s->d, to);
    }
}

/* p = exp(score - lse);  dv += p' dy;  G = p (dy v' - dy y);  dq += G k;  dk += G' q. */
INLINE void head_backward(const enum precision p, const struct attention_args *a, int b, int h)
{
    const struct head s = head_of(a, p, b, h);
    struct back m = start_backward(p, &s);

    for (int i = 0; i < a->tq; i += STRIP) {
        const int have = min_int(STRIP, a->tq - i), width = round_up(seen(&s, i + have - 1), ROWS);
        start_strip(p, &s, &m, i, have);
        for (int j = 0; j < width; j += TILE)
            tile_backward(p, &s, &m, i, have, j, min_int(TILE, width - j));
        give(&s, a->q, a->tq, i, have, m.dq, m.memory);
    }
    give(&s, a->k, a->tk, 0, a->tk, m.dk, m.memory);
    give(&s, a->v, a->tk, 0, a->tk, m.dv, m.memory);
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
    if (!KERNEL(attention_one)(a))
        each_head(a, a->precision == PRECISION_BF16 ? forward_bf16 : forward_f32);
}

void KERNEL(attention_backward)(const struct attention_args *a)
{
    each_head(a, a->precision == PRECISION_BF16 ? backward_bf16 : backward_f32);
}
