/* xent.cu - softmax and cross-entropy: a block to a row, one pass over the logits for the loss,
 * one for the gradient. */
#include "kernels/cuda/cuda.cuh"

/* What a run of logits is summed up in. */
struct run {
    float max, sum;         /* sum of exp(logit - max) */
    float total;            /* of the logits, for label smoothing */
    int best;               /* lowest place of the max */
};

static __device__ __forceinline__ struct run join(struct run a, struct run b)
{
    const bool b_leads = b.max > a.max || (b.max == a.max && b.best < a.best);
    const float max = b_leads ? b.max : a.max;
    const float keep_a = a.max == max ? 1 : expf(a.max - max);
    const float keep_b = b.max == max ? 1 : expf(b.max - max);
    return {max, a.sum * keep_a + b.sum * keep_b, a.total + b.total, b_leads ? b.best : a.best};
}

static __device__ __forceinline__ struct run warp_join(struct run a)
{
    for (int m = WARP / 2; m; m /= 2)
        a = join(a, {__shfl_xor_sync(FULL, a.max, m), __shfl_xor_sync(FULL, a.sum, m),
                     __shfl_xor_sync(FULL, a.total, m), __shfl_xor_sync(FULL, a.best, m)});
    return a;
}

static __device__ __forceinline__ struct run empty_run()
{
    return {-INFINITY, 0, 0, INT32_MAX};
}

template <int V>
static __device__ __forceinline__ struct run my_run(const float *x, int c)
{
    struct run a = empty_run();
    for (int i = threadIdx.x * V; i < c; i += BLOCK * V) {
        const floats<V> t = load<V>(x + i);
        for (int k = 0; k < V; k++)
            a = join(a, {t.v[k], 1, t.v[k], i + k});
    }
    return a;
}

template <int V>
__global__ void xent_forward(int c, const float *logits, int ld, const int *targets,
                             int targets_ld, float *loss, int loss_ld, float *lse, int lse_ld,
                             int *best, int best_ld, float smoothing)
{
    __shared__ struct run part[WARPS];
    const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    const size_t r = blockIdx.x;
    const float *x = logits + r * ld;
    struct run a = warp_join(my_run<V>(x, c));
    if (lane == 0)
        part[warp] = a;
    __syncthreads();
    if (warp != 0)
        return;
    a = warp_join(lane < WARPS ? part[lane] : empty_run());
    if (lane != 0)
        return;
    const float norm = a.max + logf(a.sum);
    const int t = targets[r * targets_ld];
    lse[r * lse_ld] = norm;
    best[r * best_ld] = a.best;
    loss[r * loss_ld] = t < 0 ? 0
                      : (1 - smoothing) * (norm - x[t]) + smoothing * (norm - a.total / c);
}

/* dlogits += dloss (softmax - (1 - smoothing) [i = target] - smoothing / vocab) */
template <int V>
__global__ void xent_backward(int c, const float *logits, float *dlogits, int ld,
                              const int *targets, int targets_ld, const float *dloss, int loss_ld,
                              const float *lse, int lse_ld, float smoothing)
{
    const size_t r = blockIdx.x;
    const int i = (blockIdx.y * BLOCK + threadIdx.x) * V, t = targets[r * targets_ld];
    if (t < 0 || i >= c)
        return;
    const float norm = lse[r * lse_ld], g = dloss[r * loss_ld], rest = smoothing / c;
    const floats<V> x = load<V>(logits + r * ld + i);
    floats<V> d = load<V>(dlogits + r * ld + i);
    for (int k = 0; k < V; k++)
        d.v[k] += g * (expf(x.v[k] - norm) - (i + k == t ? 1 - smoothing : 0) - rest);
    store<V>(dlogits + r * ld + i, d);
}

extern "C" void cuda_xent_forward(const struct xent_args *a)
{
    const struct tensor *x = a->logits;
    LAUNCH(in_fours(x, x->data) ? xent_forward<4> : xent_forward<1>, (unsigned)x->rows, BLOCK, 0,
           x->cols, x->data, x->ld, (const int *)a->targets->data, a->targets->ld, a->loss->data,
           a->loss->ld, a->lse->data, a->lse->ld, (int *)a->best->data, a->best->ld,
           a->smoothing);
}

extern "C" void cuda_xent_backward(const struct xent_args *a)
{
    const struct tensor *x = a->logits;
    if (!x->grad)
        return;
    const bool fours = in_fours(x, x->data) && in_fours(x, x->grad);
    LAUNCH(fours ? xent_backward<4> : xent_backward<1>,
           dim3(x->rows, blocks_for(x->cols, BLOCK * (fours ? 4 : 1))), BLOCK, 0, x->cols, x->data,
           x->grad, x->ld, (const int *)a->targets->data, a->targets->ld, a->loss->grad,
           a->loss->ld, a->lse->data, a->lse->ld, a->smoothing);
}
