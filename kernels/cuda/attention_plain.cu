/* attention_plain.cu - attention for any head size, straight from its formulas: a warp to a
 * query (or a key), columns over the lanes, COLUMNS of them at a time: scores are computed anew for
 * each run of columns.  The tiled kernels replace it for the head sizes in use. */
#include "kernels/cuda/attention.cuh"

enum { EACH = 8, COLUMNS = EACH * WARP };       /* columns of a lane, of a warp */

/* The query or key of this warp, counted over batch, heads and `time`; false past the end. */
template <class T>
static __device__ __forceinline__ bool my_row(const struct attention<T> &a, int time, int *b,
                                              int *h, int *i)
{
    const size_t w = (size_t)blockIdx.x * WARPS + threadIdx.x / WARP;
    *i = (int)(w % time);
    *h = (int)(w / time % a.heads);
    *b = (int)(w / time / a.heads);
    return *b < a.batch;
}

template <class T>
static __device__ __forceinline__ float dot(const struct attention<T> &a, const T *x, const T *y)
{
    float sum = 0;
    for (int c = threadIdx.x % WARP; c < a.d; c += WARP)
        sum += rounded(a.narrow, x[c]) * rounded(a.narrow, y[c]);
    return warp_sum(sum);
}

/* acc += weight * row, from column `from` of a head on. */
template <class T>
static __device__ __forceinline__ void add_row(const struct attention<T> &a, float weight,
                                               const T *row, int from, float acc[EACH])
{
    for (int u = 0; u < EACH; u++) {
        const int c = from + threadIdx.x % WARP + u * WARP;
        if (c < a.d)
            acc[u] += weight * rounded(a.narrow, row[c]);
    }
}

/* row (+)= factor * acc */
template <class T>
static __device__ __forceinline__ void put(const struct attention<T> &a, T *row, int from,
                                           bool fresh, float factor, const float acc[EACH])
{
    for (int u = 0; u < EACH; u++) {
        const int c = from + threadIdx.x % WARP + u * WARP;
        if (c < a.d)
            row[c] = T((fresh ? 0 : float(row[c])) + factor * acc[u]);
    }
}

template <class T> __global__ void attention_plain_rows(struct attention<T> a)
{
    int b, h, i;
    if (!my_row(a, a.tq, &b, &h, &i))
        return;
    const int keys = keys_seen(a, b, i);
    const size_t row = (size_t)b * a.tq + i, first = (size_t)b * a.tk;
    const T *q = a.q + row * a.q_ld + h * a.d, *k = a.k + first * a.k_ld + h * a.d;
    const struct draw d = read_draw(a.draw, a.site, a.p);
    float max = -INFINITY, sum = 0;
    for (int j = 0; j < keys; j++) {
        const float s = a.scale * dot(a, q, k + (size_t)j * a.k_ld), top = fmaxf(max, s);
        sum = sum * expf(max - top) + expf(s - top);
        max = top;
    }
    const float lse = keys > 0 ? max + logf(sum) : -INFINITY;
    for (int from = 0; from < a.d; from += COLUMNS) {
        float acc[EACH] = {};
        for (int j = 0; j < keys; j++) {
            const float p = expf(a.scale * dot(a, q, k + (size_t)j * a.k_ld) - lse);
            const float share = rounded(a.narrow, p * keep(d, first_element(a, b, h, i) + j));
            add_row(a, share, a.v + (first + j) * a.v_ld + h * a.d, from, acc);
        }
        put(a, a.y + row * a.y_ld + h * a.d, from, true, 1, acc);
    }
    if (threadIdx.x % WARP == 0)
        a.lse[row * a.lse_ld + h] = lse;
}

/* The probability of (i, j) after dropout, and the gradient of its score before scaling. */
struct pair {
    float share, ds;
};

template <class T>
static __device__ __forceinline__ struct pair score(const struct attention<T> &a, struct draw d,
                                                    int b, int h, int i, int j)
{
    const size_t row = (size_t)b * a.tq + i, key = (size_t)b * a.tk + j;
    const int col = h * a.d;
    const float s = a.scale * dot(a, a.q + row * a.q_ld + col, a.k + key * a.k_ld + col);
    const float dp = dot(a, a.dy + row * a.y_ld + col, a.v + key * a.v_ld + col);
    const float p = expf(s - a.lse[row * a.lse_ld + h]);
    const float factor = keep(d, first_element(a, b, h, i) + j);
    return {rounded(a.narrow, p * factor),
            rounded(a.narrow, p * (factor * dp - a.delta[row * a.heads + h]))};
}

/* dq (+)= scale ds k, over the keys that the query sees. */
template <class T> __global__ void attention_plain_dq(struct attention<T> a)
{
    int b, h, i;
    if (!my_row(a, a.tq, &b, &h, &i))
        return;
    const struct draw d = read_draw(a.draw, a.site, a.p);
    T *dq = a.dq + ((size_t)b * a.tq + i) * a.q_ld + h * a.d;
    for (int from = 0; from < a.d; from += COLUMNS) {
        float acc[EACH] = {};
        for (int j = 0; j < keys_seen(a, b, i); j++)
            add_row(a, score(a, d, b, h, i, j).ds,
                    a.k + ((size_t)b * a.tk + j) * a.k_ld + h * a.d, from, acc);
        put(a, dq, from, a.dq_fresh, a.scale, acc);
    }
}

/* dk (+)= scale ds q and dv (+)= share dy, over the queries that see the key. */
template <class T> __global__ void attention_plain_dkv(struct attention<T> a)
{
    int b, h, j;
    if (!my_row(a, a.tk, &b, &h, &j))
        return;
    const struct draw d = read_draw(a.draw, a.site, a.p);
    const size_t key = (size_t)b * a.tk + j;
    for (int from = 0; from < a.d; from += COLUMNS) {
        float acc_k[EACH] = {}, acc_v[EACH] = {};
        for (int i = 0; i < a.tq; i++) {
            const size_t row = (size_t)b * a.tq + i;
            if (j >= keys_seen(a, b, i))
                continue;
            const struct pair s = score(a, d, b, h, i, j);
            add_row(a, s.ds, a.q + row * a.q_ld + h * a.d, from, acc_k);
            add_row(a, s.share, a.dy + row * a.y_ld + h * a.d, from, acc_v);
        }
        if (a.dk)
            put(a, a.dk + key * a.k_ld + h * a.d, from, a.dk_fresh, a.scale, acc_k);
        if (a.dv)
            put(a, a.dv + key * a.v_ld + h * a.d, from, a.dv_fresh, 1, acc_v);
    }
}

/* Blocks for a warp to each head of that many rows. */
template <class T> static unsigned blocks_of(const struct attention<T> *a, int rows)
{
    return blocks_for((size_t)a->batch * a->heads * rows, WARPS);
}

template <class T> void attention_plain_forward(const struct attention<T> *a)
{
    LAUNCH(attention_plain_rows<T>, blocks_of(a, a->tq), BLOCK, 0, *a);
}

template <class T> void attention_plain_backward(const struct attention<T> *a)
{
    if (a->dq)
        LAUNCH(attention_plain_dq<T>, blocks_of(a, a->tq), BLOCK, 0, *a);
    if (a->dk || a->dv)
        LAUNCH(attention_plain_dkv<T>, blocks_of(a, a->tk), BLOCK, 0, *a);
}

#define INSTANTIATE(T)                                                     \
    template void attention_plain_forward(const struct attention<T> *);    \
    template void attention_plain_backward(const struct attention<T> *);
INSTANTIATE(float)
INSTANTIATE(bf16)
