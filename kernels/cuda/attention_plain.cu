/* attention_plain.cu - attention for any head size, straight from its formulas: a warp to a
 * query (or a key), columns over the lanes, sums kept in the result itself.  The tiled kernels
 * replace it for the head sizes in use. */
#include "kernels/cuda/attention.cuh"

/* The query or key of this warp, counted over batch, heads and `time`; false past the end. */
static __device__ __forceinline__ bool my_row(const struct attention &a, int time, int *b, int *h,
                                              int *i)
{
    const size_t w = (size_t)blockIdx.x * WARPS + threadIdx.x / WARP;
    *i = (int)(w % time);
    *h = (int)(w / time % a.heads);
    *b = (int)(w / time / a.heads);
    return *b < a.batch;
}

static __device__ __forceinline__ float dot(const struct attention &a, const float *x,
                                            const float *y)
{
    float sum = 0;
    for (int c = threadIdx.x % WARP; c < a.d; c += WARP)
        sum += rounded(a.bf16, x[c]) * rounded(a.bf16, y[c]);
    return warp_sum(sum);
}

__global__ void attention_plain_rows(struct attention a, float *out, float *lse)
{
    int b, h, i;
    if (!my_row(a, a.tq, &b, &h, &i))
        return;
    const int lane = threadIdx.x % WARP, keys = keys_seen(a, b, i);
    const size_t row = (size_t)b * a.tq + i;
    const float *q = a.q + row * a.q_ld + h * a.d;
    const struct draw d = read_draw(a.draw, a.site, a.p);
    float *y = out + row * a.y_ld + h * a.d, max = -INFINITY, sum = 0;
    for (int c = lane; c < a.d; c += WARP)
        y[c] = 0;
    for (int j = 0; j < keys; j++) {
        const size_t key = (size_t)b * a.tk + j;
        const float s = a.scale * dot(a, q, a.k + key * a.k_ld + h * a.d);
        const float top = fmaxf(max, s), old = expf(max - top), p = expf(s - top);
        const float share = rounded(a.bf16, p * keep(d, first_element(a, b, h, i) + j));
        sum = sum * old + p;
        max = top;
        for (int c = lane; c < a.d; c += WARP)
            y[c] = y[c] * old + share * rounded(a.bf16, a.v[key * a.v_ld + h * a.d + c]);
    }
    for (int c = lane; c < a.d && keys > 0; c += WARP)
        y[c] /= sum;
    if (lane == 0)
        lse[row * a.lse_ld + h] = keys > 0 ? max + logf(sum) : -INFINITY;
}

/* The probability of (i, j) after dropout, and the gradient of its score before scaling. */
struct pair {
    float share, ds;
};

static __device__ __forceinline__ struct pair score(const struct attention &a, struct draw d,
                                                    int b, int h, int i, int j)
{
    const size_t row = (size_t)b * a.tq + i, key = (size_t)b * a.tk + j;
    const int col = h * a.d;
    const float s = a.scale * dot(a, a.q + row * a.q_ld + col, a.k + key * a.k_ld + col);
    const float dp = dot(a, a.dy + row * a.y_ld + col, a.v + key * a.v_ld + col);
    const float p = expf(s - a.lse[row * a.lse_ld + h]);
    const float factor = keep(d, first_element(a, b, h, i) + j);
    return {p * factor, p * (factor * dp - a.delta[row * a.heads + h])};
}

/* 0 into this lane's columns of a head's row. */
static __device__ __forceinline__ void clear_row(const struct attention &a, float *row)
{
    for (int c = threadIdx.x % WARP; c < a.d; c += WARP)
        row[c] = 0;
}

/* dq (+)= scale ds k, over the keys that the query sees. */
__global__ void attention_plain_dq(struct attention a)
{
    int b, h, i;
    if (!my_row(a, a.tq, &b, &h, &i))
        return;
    const struct draw d = read_draw(a.draw, a.site, a.p);
    float *dq = a.dq + ((size_t)b * a.tq + i) * a.q_ld + h * a.d;
    if (a.dq_fresh)
        clear_row(a, dq);
    for (int j = 0; j < keys_seen(a, b, i); j++) {
        const float *k = a.k + ((size_t)b * a.tk + j) * a.k_ld + h * a.d;
        const float ds = rounded(a.bf16, score(a, d, b, h, i, j).ds);
        for (int c = threadIdx.x % WARP; c < a.d; c += WARP)
            dq[c] += a.scale * ds * rounded(a.bf16, k[c]);
    }
}

/* dk (+)= scale ds q and dv (+)= share dy, over the queries that see the key. */
__global__ void attention_plain_dkv(struct attention a)
{
    int b, h, j;
    if (!my_row(a, a.tk, &b, &h, &j))
        return;
    const struct draw d = read_draw(a.draw, a.site, a.p);
    const size_t key = (size_t)b * a.tk + j;
    if (a.dk && a.dk_fresh)
        clear_row(a, a.dk + key * a.k_ld + h * a.d);
    if (a.dv && a.dv_fresh)
        clear_row(a, a.dv + key * a.v_ld + h * a.d);
    for (int i = 0; i < a.tq; i++) {
        if (j >= keys_seen(a, b, i))
            continue;
        const size_t row = (size_t)b * a.tq + i;
        const struct pair s = score(a, d, b, h, i, j);
        for (int c = h * a.d + threadIdx.x % WARP; c < (h + 1) * a.d; c += WARP) {
            if (a.dk)
                a.dk[key * a.k_ld + c] += a.scale * rounded(a.bf16, s.ds)
                                        * rounded(a.bf16, a.q[row * a.q_ld + c]);
            if (a.dv)
                a.dv[key * a.v_ld + c] += rounded(a.bf16, s.share)
                                        * rounded(a.bf16, a.dy[row * a.y_ld + c]);
        }
    }
}

void attention_plain_forward(const struct attention *a)
{
    LAUNCH(attention_plain_rows, blocks_for((size_t)a->batch * a->heads * a->tq, WARPS), BLOCK, 0,
           *a, const_cast<float *>(a->y), const_cast<float *>(a->lse));
}

void attention_plain_backward(const struct attention *a)
{
    if (a->dq)
        LAUNCH(attention_plain_dq, blocks_for((size_t)a->batch * a->heads * a->tq, WARPS), BLOCK,
               0, *a);
    if (a->dk || a->dv)
        LAUNCH(attention_plain_dkv, blocks_for((size_t)a->batch * a->heads * a->tk, WARPS), BLOCK,
               0, *a);
}
