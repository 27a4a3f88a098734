/* head.cu - logits and their cross-entropy, a part of the vocabulary at a time: a block to a row,
 * one pass over a part's logits for the loss, one for the gradient. */
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/matmul.cuh"

extern "C" void cuda_residual_backward(const struct residual_args *a);

/* What a run of logits is summed up in: a row of `state`. */
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

template <int V, class T>
static __device__ __forceinline__ struct run my_run(const T *x, int first, int c)
{
    struct run a = empty_run();
    for (int i = threadIdx.x * V; i < c; i += BLOCK * V) {
        const floats<V> t = load<V>(x + i);
        for (int k = 0; k < V; k++)
            a = join(a, {t.v[k], 1, t.v[k], first + i + k});
    }
    return a;
}

/* Columns [first, first + c) of a vocabulary of that size; the last part ends the row.  Until
 * then loss holds the target's logit. */
template <int V, class T>
__global__ void head_rows(int first, int c, int vocab, const T *logits, int ld,
                          const int *targets, int targets_ld, struct run *state, float *loss,
                          int loss_ld, float *lse, int lse_ld, int *best, int best_ld,
                          float smoothing)
{
    __shared__ struct run part[WARPS];
    const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    const size_t r = blockIdx.x;
    const T *x = logits + r * ld;
    struct run a = warp_join(my_run<V>(x, first, c));
    if (lane == 0)
        part[warp] = a;
    __syncthreads();
    if (warp != 0)
        return;
    a = warp_join(lane < WARPS ? part[lane] : empty_run());
    if (lane != 0)
        return;
    const int t = targets[r * targets_ld];
    if (first > 0)
        a = join(state[r], a);
    if (t >= first && t < first + c)
        loss[r * loss_ld] = x[t - first];
    state[r] = a;
    if (first + c < vocab)
        return;
    const float norm = a.max + logf(a.sum);
    lse[r * lse_ld] = norm;
    best[r * best_ld] = a.best;
    loss[r * loss_ld] = t < 0 ? 0 : (1 - smoothing) * (norm - loss[r * loss_ld])
                                  + smoothing * (norm - a.total / vocab);
}

/* dlogits = dloss (softmax - (1 - smoothing) [i = target] - rest) */
template <int V, class T>
__global__ void head_gradient(int first, int c, const T *logits, int ld, T *dlogits,
                              int dlogits_ld, const int *targets, int targets_ld,
                              const float *dloss, int loss_ld, const float *lse, int lse_ld,
                              float smoothing, float rest)
{
    const size_t r = blockIdx.x;
    const int i = (blockIdx.y * BLOCK + threadIdx.x) * V, t = targets[r * targets_ld];
    if (i >= c)
        return;
    const float norm = lse[r * lse_ld], g = t < 0 ? 0 : dloss[r * loss_ld];
    const floats<V> x = load<V>(logits + r * ld + i);
    floats<V> d;
    for (int k = 0; k < V; k++)
        d.v[k] = g * (expf(x.v[k] - norm) - (first + i + k == t ? 1 - smoothing : 0) - rest);
    store<V>(dlogits + r * dlogits_ld + i, d);
}

/* One element's share in the bias gradient. */
template <class T> struct logit_columns {
    const T *dlogits;
    int ld;

    __device__ __forceinline__ void operator()(size_t r, int i, float *dbias, float *) const
    {
        *dbias += float(dlogits[r * ld + i]);
    }
};

/* Where the logits from column `first` on are, or come. */
static const struct tensor *logits_in(const struct head_args *a)
{
    return a->logits->data ? a->logits : a->part;
}

static float *logits_from(const struct head_args *a, int first)
{
    return a->logits->data ? tensor_at(a->logits, a->logits->data, first) : a->part->data;
}

static bool fours(const struct tensor *t, int cols, const float *p)
{
    struct tensor part = *t;
    part.cols = cols;
    return in_fours(&part, p);
}

/* The bias from column `first` on, as it is added to numbers of that storage. */
static const void *bias_from(const struct tensor *bias, int first, enum storage storage)
{
    return !bias ? nullptr
         : storage == STORAGE_BF16 ? (const void *)(bias->narrow + first) : bias->data + first;
}

static void part_forward(const struct head_args *a, const struct operand *x, int first, int c)
{
    const int n = a->x->rows, vocab = a->weight->rows;
    const struct tensor *to = logits_in(a);
    float *at = logits_from(a, first);
    const struct product p = {
        .a = *x, .b = operand_of(a->weight, a->weight->data, first, c, a->precision, SCRATCH_RIGHT),
        .c = at, .c_ld = to->ld, .c_storage = to->storage,
        .bias = bias_from(a->bias, first, to->storage), .m = n, .n = c, .k = a->x->cols,
        .a_turned = false, .b_turned = true, .add = false, .precision = a->precision,
    };
    matmul(&p);
    by_storage(to, [&](auto zero) {
        using T = decltype(zero);
        LAUNCH((fours(to, c, at) ? head_rows<4, T> : head_rows<1, T>), (unsigned)n, BLOCK, 0,
               first, c, vocab, (const T *)at, to->ld, (const int *)a->targets->data,
               a->targets->ld, (struct run *)a->state->data, a->loss->data, a->loss->ld,
               a->lse->data, a->lse->ld, (int *)a->best->data, a->best->ld, a->smoothing);
    });
}

extern "C" void cuda_head_forward(const struct head_args *a)
{
    const int vocab = a->weight->rows;
    const struct operand x = operand_of(a->x, a->x->data, 0, a->x->rows, a->precision,
                                        SCRATCH_LEFT);
    for (int first = 0; first < vocab; first += a->part->cols)
        part_forward(a, &x, first, min(a->part->cols, vocab - first));
}

/* dlogits, into part. */
static void part_gradient(const struct head_args *a, int first, int c)
{
    const struct tensor *from = logits_in(a);
    const float *l = logits_from(a, first);
    const bool four = fours(from, c, l) && fours(a->part, c, a->part->data);
    by_storage(a->part, [&](auto zero) {
        using T = decltype(zero);
        LAUNCH((four ? head_gradient<4, T> : head_gradient<1, T>),
               dim3(a->x->rows, blocks_for(c, BLOCK * (four ? 4 : 1))), BLOCK, 0, first, c,
               (const T *)l, from->ld, data_of<T>(a->part), a->part->ld,
               (const int *)a->targets->data, a->targets->ld, a->loss->grad, a->loss->ld,
               a->lse->data, a->lse->ld, a->smoothing, a->smoothing / a->weight->rows);
        add_columns(a->x->rows, c, logit_columns<T>{data_of<T>(a->part), a->part->ld}, a->bias,
                    nullptr, first);
    });
}

static void part_backward(const struct head_args *a, const struct operand *x,
                          const struct tensor *dx, int first, int c)
{
    const int n = a->x->rows, width = a->x->cols, ld = a->weight->ld;
    struct tensor part = *a->part;
    part.cols = c;
    const struct operand d = operand_of(&part, part.data, 0, n, a->precision, SCRATCH_LEFT);
    if (dx->grad) {                 /* dx (+)= dlogits weight */
        const struct product p = {
            .a = d, .b = operand_of(a->weight, a->weight->data, first, c, a->precision,
                                    SCRATCH_RIGHT),
            .c = dx->grad, .c_ld = dx->ld, .c_storage = dx->storage, .bias = nullptr,
            .m = n, .n = width, .k = c, .a_turned = false, .b_turned = false,
            .add = !dx->fresh || first > 0, .precision = a->precision,
        };
        matmul(&p);
    }
    if (a->weight->grad) {          /* dweight (+)= dlogits' x */
        const struct product p = {
            .a = d, .b = *x, .c = a->weight->grad + (size_t)first * ld, .c_ld = ld,
            .c_storage = STORAGE_F32, .bias = nullptr, .m = c, .n = width, .k = n,
            .a_turned = true, .b_turned = false, .add = !a->weight->fresh,
            .precision = a->precision,
        };
        matmul(&p);
    }
}

/* A gradient that is stored in bf16 is summed over the parts in f32. */
extern "C" void cuda_head_backward(const struct head_args *a)
{
    const bool aside = a->x->grad && a->x->storage == STORAGE_BF16;
    struct tensor dx = *a->x, none = {};
    if (aside) {
        dx.storage = STORAGE_F32, dx.ld = dx.cols, dx.fresh = 1;
        dx.grad = (float *)cuda_scratch(SCRATCH_GRADIENT, sizeof(float) * tensor_size(&dx));
    }
    const int vocab = a->weight->rows;
    const struct operand x = operand_of(a->x, a->x->data, 0, a->x->rows, a->precision,
                                        SCRATCH_ROWS);
    for (int first = 0; first < vocab; first += a->part->cols) {
        const int c = min(a->part->cols, vocab - first);
        part_gradient(a, first, c);
        part_backward(a, &x, &dx, first, c);
    }
    const struct residual_args end = {.x = &none, .f = a->x, .y = &dx, .step = 1};
    if (aside)
        cuda_residual_backward(&end);
}
