/* attention.cuh - what the attention kernels share: the shape of the problem, which keys a query
 * sees, and the factor that dropout puts on a probability. */
#pragma once
#include "kernels/cuda/random.cuh"

/* T: what q, k, v, y and their gradients are stored as. */
template <class T> struct attention {
    const T *q, *k, *v;
    T *y;
    float *lse;
    const T *dy;                        /* backward only, as the next four */
    T *dq, *dk, *dv;                    /* any may be NULL */
    bool dq_fresh, dk_fresh, dv_fresh;  /* stored, not added to */
    const float *delta;                 /* [b * tq, heads]: sum over a head's columns of dy y */
    const int *lengths;                 /* [b] by lengths_ld, or NULL */
    const float *draw;                  /* of dropout, or NULL */
    int q_ld, k_ld, v_ld, y_ld, lse_ld, lengths_ld;
    int batch, heads, tq, tk, d;        /* d: columns of a head */
    int causal;
    float scale, p;
    unsigned site;
    bool narrow;                        /* inputs of the products are rounded to bf16 */
};

/* The kernels: each pair takes what its head size and precision ask for. */
template <class T> bool attention_mma_fits(const struct attention<T> *a);
template <class T> void attention_mma_forward(const struct attention<T> *a);
template <class T> void attention_mma_backward(const struct attention<T> *a);
template <class T> bool attention_tiled_fits(const struct attention<T> *a);
template <class T> void attention_tiled_forward(const struct attention<T> *a);
template <class T> void attention_tiled_backward(const struct attention<T> *a);
template <class T> void attention_plain_forward(const struct attention<T> *a);
template <class T> void attention_plain_backward(const struct attention<T> *a);

/* Keys that query i of sequence b sees: 0 .. the result - 1. */
template <class T>
static __device__ __forceinline__ int keys_seen(const struct attention<T> &a, int b, int i)
{
    const int keys = a.lengths ? a.lengths[b * a.lengths_ld] : a.tk;
    return a.causal ? min(keys, keys - a.tq + i + 1) : keys;
}

/* The number of the probability of (query i, key 0), for dropout; key j is j further. */
template <class T>
static __device__ __forceinline__ uint64_t first_element(const struct attention<T> &a, int b,
                                                         int h, int i)
{
    return (((uint64_t)b * a.heads + h) * a.tq + i) * a.tk;
}

static __device__ __forceinline__ float rounded(bool narrow, float x)
{
    return narrow ? float(bf16(x)) : x;
}
