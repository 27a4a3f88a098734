/* attention_back.c - attention's backward pass.
 *
 * P = exp(score - lse);  dv = P' dy;  G = P (dy v' - dy y);  dq = G k;  dk = G' q.
 *
 * The probabilities are computed anew.  A tile of keys meets all strips of queries that see it;
 * their P and G are kept, so that dv and dk are summed in registers over all queries. */
#include "kernels/cpu/attention.h"

struct back {
    struct operand k, v, k_left, q, dy;
    float *qt, *dyt;                            /* strip by strip turned, [units][STRIP] */
    float *dqt;                                 /* and [wide][STRIP] */
    float *lse, *own;                           /* in powers of 2; scale * dy . y of each query */
    float *scores, *slopes;                     /* of a tile and a strip turned: q k', dy v' */
    float *p, *g;                               /* P and G of a tile turned, [TILE][ld] units */
    float *g_across;                            /* G of a strip as a right operand */
    ptrdiff_t ld;
    float *sums;                                /* [TILE][wide] */
    float *memory;                              /* what is left */
};

INLINE struct back start_backward(const enum precision p, const struct head *s)
{
    const struct attention_args *a = s->a;
    const int time = round_up(a->tq, STRIP), ld = time / in_unit(p) + LANES;
    float *memory = head_memory(s);
    struct back m = {
        .k = plain(p, s, a->k, a->k->data, a->tk, &memory),
        .v = plain(p, s, a->v, a->v->data, a->tk, &memory),
        .q = stacked(p, s, a->q, a->q->data, a->tq, &memory),
        .dy = stacked(p, s, a->y, a->y->grad, a->tq, &memory),
        .qt = carve(&memory, time * s->units), .dyt = carve(&memory, time * s->units),
        .dqt = carve(&memory, time * s->wide),
        .lse = carve(&memory, time), .own = carve(&memory, time),
        .scores = carve(&memory, TILE * STRIP), .slopes = carve(&memory, TILE * STRIP),
        .p = carve(&memory, TILE * ld), .g = carve(&memory, TILE * ld),
        .g_across = carve(&memory, TILE * STRIP), .ld = ld,
        .sums = carve(&memory, TILE * s->wide),
    };
    /* But for pairs plain and stacked are the same. */
    m.k_left = is_pair(p) ? stacked_left(p, s, a->k, a->k->data, a->tk, &memory)
                          : (struct operand){m.k.data, 1, m.k.side};
    m.memory = memory;
    memset(m.dqt, 0, (size_t)(time * s->wide) * sizeof(float));
    return m;
}

/* The sum of x y over n numbers. */
INLINE float dot(struct numbers x, struct numbers y, int n)
{
    vec sum = splat(0);
    for (int e = 0; e < n; e += LANES)
        sum += load_n(x.narrow, x.at, e, min_int(LANES, n - e))
             * load_n(y.narrow, y.at, e, min_int(LANES, n - e));
    return sum_of(sum);
}

/* The strip of `have` queries from i on; queries beyond are such that P = G = 0. */
INLINE void start_strip(const enum precision p, const struct head *s, struct back *m, int i,
                        int have)
{
    const struct attention_args *a = s->a;
    const struct numbers y = at(s, a->y, a->y->data, a->tq, i);
    const struct numbers dy = at(s, a->y, a->y->grad, a->tq, i);
    turn_strip(p, s, at(s, a->q, a->q->data, a->tq, i), have, m->qt + i * s->units, m->memory);
    turn_strip(p, s, dy, have, m->dyt + i * s->units, m->memory);
    for (int l = 0; l < STRIP; l++) {
        m->own[i + l] = l < have
            ? s->scale * dot(numbers_from(dy, l, 0), numbers_from(y, l, 0), s->d) : 0;
        m->lse[i + l] = l < have ? log2_e * row(a->lse, s->b * a->tq + i + l)[s->h] : FLT_MAX;
    }
}

/* From scores and dy v' of the strip from query i on and n keys from j on, of which all but with
 * `masked` are seen:  P = dropped p, G = scale p (dropped dy v' - dy y), p = exp(score - lse). */
INLINE void soften_backward(const enum precision p, const int masked, const float *drop,
                            const struct head *s, const struct back *m, int i, int j, int n)
{
    const float scale = s->scale * log2_e;
    ivec sees[SIDE];
    seen_by_lanes(s, i, sees);
    for (int v = 0; v < SIDE; v += 2)
        for (int k = 0; k < n; k += 2) {
            const ptrdiff_t to = k * m->ld + (i + v * LANES) / in_unit(p);
            vec g[2][2];
            for (int r = 0; r < 2; r++) {
                vec e[2];
                for (int w = 0; w < 2; w++) {
                    const int from = (k + r) * STRIP + (v + w) * LANES;
                    const int query = i + (v + w) * LANES;
                    vec slope = load(m->slopes + from) * s->scale;
                    e[w] = exp2_vec(load(m->scores + from) * scale - load(m->lse + query));
                    if (masked)
                        e[w] = pick(sees[v + w] > j + k + r, e[w], splat(0));
                    if (drop)
                        slope *= load(drop + from);
                    g[r][w] = e[w] * (slope - load(m->own + query));
                    if (drop)
                        e[w] *= load(drop + from);
                }
                store_along(p, m->p + to + r * m->ld, e[0], e[1]);
                store_along(p, m->g + to + r * m->ld, g[r][0], g[r][1]);
            }
            for (int w = 0; w < 2 && is_pair(p); w++)
                store(m->g_across + k / 2 * STRIP + (v + w) * LANES,
                      pairs_across(g[0][w], g[1][w]));
        }
}

/* P and G of n keys from j on and the strip from query i on, and dq += G k. */
INLINE void strip_backward(const enum precision p, const struct head *s, const struct back *m,
                           int i, int j, int n)
{
    const int u = in_unit(p), last = min_int(i + STRIP, s->a->tq) - 1;
    const int some = min_int(n, round_up(seen(s, last) - j, block_rows(p)));
    const float *qt = m->qt + i * s->units, *dyt = m->dyt + i * s->units;
    const float *k = m->k.data + j * m->k.side, *v = m->v.data + j * m->v.side;

    multiply(p, some, STRIP, s->deep, k, m->k, qt, STRIP, m->scores, STRIP, 0);
    multiply(p, some, STRIP, s->deep, v, m->v, dyt, STRIP, m->slopes, STRIP, 0);
    if (drops(s)) {
        drop_scales(s, i, j, some, m->memory, m->memory + TILE * STRIP);
        soften_backward(p, 1, m->memory, s, m, i, j, some);
    } else if (j + some > seen(s, i)) {
        soften_backward(p, 1, NULL, s, m, i, j, some);
    } else {
        soften_backward(p, 0, NULL, s, m, i, j, some);
    }
    for (int r = some; r < n; r++)
        for (int e = i / u; e < (i + STRIP) / u; e++)
            m->p[r * m->ld + e] = m->g[r * m->ld + e] = 0;
    multiply(p, s->rows, STRIP, some / u, unit_of(m->k_left, j / u), m->k_left,
             is_pair(p) ? m->g_across : m->g + i, is_pair(p) ? STRIP : m->ld,
             m->dqt + i * s->wide, STRIP, 1);
}

/* Gradient t of keys [j, j + n) from that of P or G and what was multiplied with it, from query
 * i on. */
INLINE void end_tile(const enum precision p, const struct head *s, const struct back *m,
                     const struct tensor *t, const float *left, struct operand right, int i, int j,
                     int n)
{
    const int u = in_unit(p), tq = s->a->tq, units = round_up((tq - i + u - 1) / u, depth_step(p));
    if (!wants_grad(t))
        return;
    multiply(p, n, s->wide, units, left + i / u, (struct operand){NULL, m->ld, 1},
             unit_of(right, i / u), right.deep, m->sums, s->wide, 0);
    give(s, at(s, t, t->grad, s->a->tk, j), t->fresh, min_int(n, s->a->tk - j), m->sums, s->wide);
}

INLINE void head_backward(const enum precision p, const struct attention_args *a, int b, int h)
{
    const struct head s = head_of(p, a, b, h);
    const int before = a->tq - s.keys;          /* with causal the first query that sees key 0 */
    struct back m = start_backward(p, &s);

    start_tiles(p);
    for (int i = 0; i < a->tq; i += STRIP)
        start_strip(p, &s, &m, i, min_int(STRIP, a->tq - i));
    for (int j = 0; j < a->tk; j += TILE) {
        const int n = min_int(TILE, round_up(a->tk - j, block_rows(p)));
        const int first = a->causal && j + before > 0 ? j + before : 0;
        const int from = j < s.keys ? first / STRIP * STRIP : a->tq;
        for (int i = from; i < a->tq; i += STRIP)
            strip_backward(p, &s, &m, i, j, n);
        end_tile(p, &s, &m, a->v, m.p, m.dy, from, j, n);
        end_tile(p, &s, &m, a->k, m.g, m.q, from, j, n);
    }
    for (int i = 0; i < a->tq && wants_grad(a->q); i += STRIP)
        give_turned(p, &s, at(&s, a->q, a->q->grad, a->tq, i), a->q->fresh,
                    min_int(STRIP, a->tq - i), m.dqt + i * s.wide, m.memory);
}

static void backward_f32(const struct attention_args *a, int b, int h)
{
    head_backward(PRECISION_F32, a, b, h);
}

static void backward_bf16(const struct attention_args *a, int b, int h)
{
    head_backward(PRECISION_BF16, a, b, h);
}

void KERNEL(attention_backward)(const struct attention_args *a)
{
    each_head(a, a->precision == PRECISION_BF16 ? backward_bf16 : backward_f32);
}
