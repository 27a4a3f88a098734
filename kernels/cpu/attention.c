/* attention.c - scaled dot-product attention, forward; no [tq, tk] matrix is stored. */
#include "kernels/cpu/attention.h"

/* The largest of turned scores x [width][STRIP]; all see the first `all` of the keys. */
static inline void find_tops(const ivec sees[SIDE], int all, int width, const float *x,
                             vec tops[SIDE])
{
    int j = 0;
    for (int v = 0; v < SIDE; v++)
        tops[v] = splat(-FLT_MAX);
    for (; j + 2 <= min_int(all, width); j += 2)
        for (int v = 0; v < SIDE; v++) {
            const float *at = x + j * STRIP + v * LANES;
            tops[v] = larger_vec(tops[v], larger_vec(load(at), load(at + STRIP)));
        }
    for (; j < width; j++)
        for (int v = 0; v < SIDE; v++)
            tops[v] = larger_vec(tops[v], pick(sees[v] > j, load(x + j * STRIP + v * LANES),
                                               tops[v]));
}

/* Exponentials of n turned scores from key j on, at x, as a stacked operand from `to` on, in
 * place or before; times `scales` unless that is NULL.  Their sums are added. */
INLINE void exponentials(const enum precision p, const int masked, const float *scales,
                         const ivec sees[SIDE], int j, int n, float scale, const vec tops[SIDE],
                         const float *x, float *to, vec sums[SIDE])
{
    for (int v = 0; v < SIDE; v++) {
        vec sum = sums[v];
        for (int k = 0; k < n; k += 2) {
            vec e[2];
            for (int r = 0; r < 2; r++) {
                const int from = (k + r) * STRIP + v * LANES;
                e[r] = exp2_vec((load(x + from) - tops[v]) * scale);
                if (masked)
                    e[r] = pick(sees[v] > j + k + r, e[r], splat(0));
                sum += e[r];
                if (scales)
                    e[r] *= load(scales + from);
            }
            store_across(p, to + k / in_unit(p) * STRIP + v * LANES, STRIP, e[0], e[1]);
        }
        sums[v] = sum;
    }
}

/* From turned scores x [width][STRIP] exponentials as a stacked operand, in place; of the strip's
 * queries the sums of exponentials and the largest scores.  A query that sees nothing has zeros. */
INLINE void soften(const enum precision p, const struct head *s, int i, int width, float *x,
                   vec sums[SIDE], vec tops[SIDE], float *memory)
{
    const int all = seen(s, i);
    const float scale = s->scale * log2_e;
    ivec sees[SIDE];
    seen_by_lanes(s, i, sees);
    find_tops(sees, all, width, x, tops);
    for (int v = 0; v < SIDE; v++)
        sums[v] = splat(0);
    for (int j = 0; j < width; j += TILE) {
        const int n = min_int(TILE, width - j);
        float *from = x + j * STRIP, *to = x + j / in_unit(p) * STRIP;
        if (drops(s)) {
            drop_scales(s, i, j, n, memory, memory + TILE * STRIP);
            exponentials(p, 1, memory, sees, j, n, scale, tops, from, to, sums);
        } else if (j + n > all) {
            exponentials(p, 1, NULL, sees, j, n, scale, tops, from, to, sums);
        } else {
            exponentials(p, 0, NULL, sees, j, n, scale, tops, from, to, sums);
        }
    }
}

/* y [have, d] = yt' / sums, and lse, of the strip from query i on. */
INLINE void end_strip(const enum precision p, const struct head *s, int i, int have, float *yt,
                      const vec sums[SIDE], const vec tops[SIDE], float *temp)
{
    const struct attention_args *a = s->a;
    for (int v = 0; v < SIDE; v++) {
        const vec part = pick(sums[v] == 0, splat(0), 1 / sums[v]);
        for (int e = 0; e < s->d; e++)
            store(yt + e * STRIP + v * LANES, load(yt + e * STRIP + v * LANES) * part);
    }
    give_turned(p, s, at(s, a->y, a->y->data, a->tq, i), 1, have, yt, temp);
    for (int l = 0; l < have; l++)
        row(a->lse, s->b * a->tq + i + l)[s->h] = s->scale * tops[l / LANES][l % LANES]
                                                + logf(sums[l / LANES][l % LANES]);
}

/* y and lse of queries [i, i + have), have <= STRIP. */
INLINE void strip_forward(const enum precision p, const struct head *s, int i, int have,
                          struct operand k, struct operand v, float *memory)
{
    const struct attention_args *a = s->a;
    const int width = round_up(seen(s, i + have - 1), block_rows(p));
    float *qt = carve(&memory, s->units * STRIP), *yt = carve(&memory, s->wide * STRIP);
    float *x = carve(&memory, width * STRIP);
    vec sums[SIDE], tops[SIDE];

    turn_strip(p, s, at(s, a->q, a->q->data, a->tq, i), have, qt, memory);
    multiply(p, width, STRIP, s->deep, k.data, k, qt, STRIP, x, STRIP, 0);
    soften(p, s, i, width, x, sums, tops, memory);
    multiply(p, s->rows, STRIP, width / in_unit(p), v.data, v, x, STRIP, yt, STRIP, 0);
    end_strip(p, s, i, have, yt, sums, tops, memory);
}

INLINE void head_forward(const enum precision p, const struct attention_args *a, int b, int h)
{
    const struct head s = head_of(p, a, b, h);
    float *memory = head_memory(&s);
    const struct operand k = plain(p, &s, a->k, a->k->data, a->tk, &memory);
    const struct operand v = stacked_left(p, &s, a->v, a->v->data, a->tk, &memory);
    start_tiles(p);
    for (int i = 0; i < a->tq; i += STRIP)
        strip_forward(p, &s, i, min_int(STRIP, a->tq - i), k, v, memory);
}

static void forward_f32(const struct attention_args *a, int b, int h)
{
    head_forward(PRECISION_F32, a, b, h);
}

static void forward_bf16(const struct attention_args *a, int b, int h)
{
    head_forward(PRECISION_BF16, a, b, h);
}

void KERNEL(attention_forward)(const struct attention_args *a)
{
    if (!KERNEL(attention_one)(a))
        each_head(a, a->precision == PRECISION_BF16 ? forward_bf16 : forward_f32);
}
