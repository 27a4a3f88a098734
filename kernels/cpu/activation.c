/* activation.c - GELU, its tanh form, and ReLU. */
#include "kernels/cpu/numbers.h"

static const float GELU_SCALE = 0.7978845608f;     /* sqrt(2 / pi) */
static const float GELU_CUBE = 0.044715f;

/* 0.5 (1 + tanh u) is the logistic function of 2 u. */
INLINE vec gelu_tanh(vec x)
{
    vec slope;
    return x * logistic_vec((x * x * GELU_CUBE + 1) * x * (2 * GELU_SCALE), &slope);
}

INLINE vec gelu_tanh_slope(vec x)
{
    const vec near = at_most(at_least(x, -30), 30);     /* beyond, slope 0 must not meet inf */
    vec slope;
    const vec s = logistic_vec((x * x * GELU_CUBE + 1) * x * (2 * GELU_SCALE), &slope);
    return s + near * slope * (near * near * (3 * GELU_CUBE) + 1) * (2 * GELU_SCALE);
}

INLINE vec gelu(vec x)
{
    vec density;
    return x * normal_vec(x, &density);
}

INLINE vec gelu_slope(vec x)
{
    vec density;
    const vec p = normal_vec(x, &density);
    return p + x * density;
}

/* A diverged NaN passes: it is not below 0. */
INLINE vec relu(vec x) { return at_least(x, 0); }
INLINE vec relu_slope(vec x) { return pick(x != x, x, pick(x > splat(0), splat(1), splat(0))); }

/* out = f(x), or out (+)= dy slope(x), of n numbers, all in bf16 or none. */
#define LOOPS(f, slope)                                                                        \
    INLINE void f##_loop(const int narrow, const void *x, void *out, int n)                    \
    {                                                                                          \
        int i = 0;                                                                             \
        for (; i + LANES <= n; i += LANES)                                                     \
            store_at(narrow, out, i, f(load_at(narrow, x, i)));                                \
        if (i < n)                                                                             \
            store_n(narrow, out, i, n - i, f(load_n(narrow, x, i, n - i)));                    \
    }                                                                                          \
    INLINE void f##_back_loop(const int narrow, const void *x, const void *dy, void *out,      \
                              int n, int fresh)                                                \
    {                                                                                          \
        int i = 0;                                                                             \
        for (; i + LANES <= n; i += LANES)                                                     \
            store_at(narrow, out, i, (fresh ? splat(0) : load_at(narrow, out, i))              \
                                     + load_at(narrow, dy, i) * slope(load_at(narrow, x, i))); \
        if (i < n)                                                                             \
            store_n(narrow, out, i, n - i,                                                     \
                      (fresh ? splat(0) : load_n(narrow, out, i, n - i))                       \
                      + load_n(narrow, dy, i, n - i) * slope(load_n(narrow, x, i, n - i)));    \
    }                                                                                          \
    static void f##_forward(int narrow, const void *x, void *out, int n)                       \
    {                                                                                          \
        narrow ? f##_loop(1, x, out, n) : f##_loop(0, x, out, n);                              \
    }                                                                                          \
    static void f##_backward(int narrow, const void *x, const void *dy, void *out, int n,      \
                             int fresh)                                                        \
    {                                                                                          \
        narrow ? f##_back_loop(1, x, dy, out, n, fresh)                                        \
               : f##_back_loop(0, x, dy, out, n, fresh);                                       \
    }

LOOPS(gelu, gelu_slope)
LOOPS(gelu_tanh, gelu_tanh_slope)
LOOPS(relu, relu_slope)

static void (*const forward[])(int narrow, const void *x, void *out, int n) = {
    [ACTIVATION_GELU] = gelu_forward, [ACTIVATION_GELU_TANH] = gelu_tanh_forward,
    [ACTIVATION_RELU] = relu_forward,
};

static void (*const backward[])(int narrow, const void *x, const void *dy, void *out, int n,
                                int fresh) = {
    [ACTIVATION_GELU] = gelu_backward, [ACTIVATION_GELU_TANH] = gelu_tanh_backward,
    [ACTIVATION_RELU] = relu_backward,
};

/* Row r of a tensor's data or gradient. */
static void *row_at(const struct tensor *t, float *floats, int r)
{
    return tensor_at(t, floats, (size_t)r * (size_t)t->ld);
}

void KERNEL(activation_forward)(const struct activation_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        forward[a->kind](a->x->storage == STORAGE_BF16, row_at(a->x, a->x->data, r),
                         row_at(a->y, a->y->data, r), c);
}

void KERNEL(activation_backward)(const struct activation_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    if (!wants_grad(a->x))
        return;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        backward[a->kind](a->x->storage == STORAGE_BF16, row_at(a->x, a->x->data, r),
                          row_at(a->y, a->y->grad, r), row_at(a->x, a->x->grad, r), c,
                          a->x->fresh);
}
