/* attention.cu - the attention op: reads the arguments and chooses the kernels. */
#include "kernels/cuda/attention.cuh"

template <class T> static struct attention<T> shape_of(const struct attention_args *a)
{
    const int d = a->q->cols / a->heads;
    struct attention<T> s = {};
    s.q = data_of<T>(a->q), s.k = data_of<T>(a->k), s.v = data_of<T>(a->v);
    s.y = data_of<T>(a->y), s.lse = a->lse->data;
    s.lengths = a->lengths ? (const int *)a->lengths->data : nullptr;
    s.draw = a->p > 0 && a->draw ? a->draw->data : nullptr;
    s.q_ld = a->q->ld, s.k_ld = a->k->ld, s.v_ld = a->v->ld, s.y_ld = a->y->ld;
    s.lse_ld = a->lse->ld, s.lengths_ld = a->lengths ? a->lengths->ld : 0;
    s.batch = a->q->rows / a->tq, s.heads = a->heads, s.tq = a->tq, s.tk = a->tk, s.d = d;
    s.causal = a->causal;
    s.scale = 1 / sqrtf((float)d);
    s.p = a->p, s.site = a->site;
    s.narrow = a->precision == PRECISION_BF16;
    return s;
}

/* delta[row, h] = sum over head h's columns of dy y: a warp to each. */
template <class T> __global__ void attention_delta(struct attention<T> a, float *delta)
{
    const int lane = threadIdx.x % WARP;
    const size_t w = (size_t)blockIdx.x * WARPS + threadIdx.x / WARP;
    const size_t row = w / a.heads, h = w % a.heads, at = row * a.y_ld + h * a.d;
    float sum = 0;
    if (row >= (size_t)a.batch * a.tq)
        return;
    for (int i = lane; i < a.d; i += WARP)
        sum += float(a.dy[at + i]) * float(a.y[at + i]);
    sum = warp_sum(sum);
    if (lane == 0)
        delta[w] = sum;
}

template <class T> static void forward(const struct attention_args *args)
{
    const struct attention<T> a = shape_of<T>(args);
    if (attention_mma_fits(&a))
        attention_mma_forward(&a);
    else if (attention_tiled_fits(&a))
        attention_tiled_forward(&a);
    else
        attention_plain_forward(&a);
}

template <class T> static void backward(const struct attention_args *args)
{
    struct attention<T> a = shape_of<T>(args);
    const size_t pairs = (size_t)a.batch * a.tq * a.heads;
    a.dy = grad_of<T>(args->y);
    a.dq = grad_of<T>(args->q), a.dk = grad_of<T>(args->k), a.dv = grad_of<T>(args->v);
    a.dq_fresh = args->q->fresh, a.dk_fresh = args->k->fresh, a.dv_fresh = args->v->fresh;
    if (!a.dq && !a.dk && !a.dv)
        return;
    float *delta = (float *)cuda_scratch(SCRATCH_DELTA, sizeof *delta * pairs);
    LAUNCH(attention_delta<T>, blocks_for(pairs, WARPS), BLOCK, 0, a, delta);
    a.delta = delta;
    if (attention_mma_fits(&a))
        attention_mma_backward(&a);
    else if (attention_tiled_fits(&a))
        attention_tiled_backward(&a);
    else
        attention_plain_backward(&a);
}

extern "C" void cuda_attention_forward(const struct attention_args *a)
{
    by_storage(a->y, [&](auto zero) { forward<decltype(zero)>(a); });
}

extern "C" void cuda_attention_backward(const struct attention_args *a)
{
    by_storage(a->y, [&](auto zero) { backward<decltype(zero)>(a); });
}
