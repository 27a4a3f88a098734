/* activation.cu - y = f(x), element by element. */
#include "kernels/cuda/elementwise.cuh"

/* 0.5 (1 + tanh(u)), u of the tanh form, without loss in the tail. */
static __device__ __forceinline__ float share(float x)
{
    return 1 / (1 + expf(-2 * 0.79788456f * (x + 0.044715f * x * x * x)));
}

static __device__ __forceinline__ float value(enum activation kind, float x)
{
    switch (kind) {
    case ACTIVATION_GELU: return 0.5f * x * erfcf(-0.70710678f * x);
    case ACTIVATION_GELU_TANH: return x * share(x);
    default: return x < 0 ? 0 : x;
    }
}

static __device__ __forceinline__ float slope(enum activation kind, float x)
{
    switch (kind) {
    case ACTIVATION_GELU:
        return 0.5f * erfcf(-0.70710678f * x) + x * 0.39894228f * expf(-0.5f * x * x);
    case ACTIVATION_GELU_TANH: {
        const float s = share(x);
        return s + 2 * 0.79788456f * x * s * (1 - s) * (1 + 3 * 0.044715f * x * x);
    }
    default: return x > 0 ? 1 : 0;
    }
}

template <int V, class T>
__global__ void activation_forward(struct extent e, const T *x, int x_ld, T *y, int y_ld,
                                   enum activation kind)
{
    const struct place at = my_place<V>(e);
    if (at.col >= e.cols)
        return;
    floats<V> t = load<V>(x + at.row * x_ld + at.col);
    for (int i = 0; i < V; i++)
        t.v[i] = value(kind, t.v[i]);
    store<V>(y + at.row * y_ld + at.col, t);
}

/* dx (+)= dy f'(x) */
template <int V, class T>
__global__ void activation_backward(struct extent e, const T *x, T *dx, int x_ld,
                                    bool fresh, const T *dy, int y_ld,
                                    enum activation kind)
{
    const struct place at = my_place<V>(e);
    if (at.col >= e.cols)
        return;
    const size_t k = at.row * x_ld + at.col;
    const floats<V> t = load<V>(x + k), g = load<V>(dy + at.row * y_ld + at.col);
    floats<V> d = load_old<V>(dx + k, fresh);
    for (int i = 0; i < V; i++)
        d.v[i] += g.v[i] * slope(kind, t.v[i]);
    store<V>(dx + k, d);
}

extern "C" void cuda_activation_forward(const struct activation_args *a)
{
    const struct tensor *const t[] = {a->x, a->y};
    const float *const p[] = {a->x->data, a->y->data};
    const struct spread s = spread_over(t, p, 2);
    by_storage(a->x, [&](auto zero) {
        using T = decltype(zero);
        LAUNCH((s.fours ? activation_forward<4, T> : activation_forward<1, T>), s.blocks, BLOCK, 0,
               s.extent, data_of<T>(a->x), a->x->ld, data_of<T>(a->y), a->y->ld, a->kind);
    });
}

extern "C" void cuda_activation_backward(const struct activation_args *a)
{
    if (!a->x->grad)
        return;
    const struct tensor *const t[] = {a->x, a->x, a->y};
    const float *const p[] = {a->x->data, a->x->grad, a->y->grad};
    const struct spread s = spread_over(t, p, 3);
    by_storage(a->x, [&](auto zero) {
        using T = decltype(zero);
        LAUNCH((s.fours ? activation_backward<4, T> : activation_backward<1, T>), s.blocks, BLOCK,
               0, s.extent, data_of<T>(a->x), grad_of<T>(a->x), a->x->ld, a->x->fresh,
               grad_of<T>(a->y), a->y->ld, a->kind);
    });
}
