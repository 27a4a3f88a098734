/* activation.c - GELU, its tanh form, and ReLU. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vmath.h"

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

/* out = f(x), or out (+)= dy f(x), of c numbers. */
#define ROW_LOOPS(f, slope)                                                             \
    static void f##_row(const float *x, const float *dy, float *out, int c, int fresh)  \
    {                                                                                   \
        int i = 0;                                                                      \
        (void)dy, (void)fresh;                                                          \
        for (; i + LANES <= c; i += LANES)                                              \
            store(out + i, f(load(x + i)));                                             \
        if (i < c)                                                                      \
            store_part(out + i, f(load_part(x + i, c - i, 0)), c - i);                  \
    }                                                                                   \
    static void f##_back(const float *x, const float *dy, float *out, int c, int fresh) \
    {                                                                                   \
        int i = 0;                                                                      \
        for (; i + LANES <= c; i += LANES)                                              \
            store(out + i, (fresh ? splat(0) : load(out + i))                           \
                           + load(dy + i) * slope(load(x + i)));                        \
        if (i < c)                                                                      \
            store_part(out + i, (fresh ? splat(0) : load_part(out + i, c - i, 0))       \
                       + load_part(dy + i, c - i, 0) * slope(load_part(x + i, c - i, 0)), \
                       c - i);                                                          \
    }

ROW_LOOPS(gelu, gelu_slope)
ROW_LOOPS(gelu_tanh, gelu_tanh_slope)
ROW_LOOPS(relu, relu_slope)

typedef void row_loop(const float *x, const float *dy, float *out, int c, int fresh);

static row_loop *const forward[] = {
    [ACTIVATION_GELU] = gelu_row, [ACTIVATION_GELU_TANH] = gelu_tanh_row,
    [ACTIVATION_RELU] = relu_row,
};

static row_loop *const backward[] = {
    [ACTIVATION_GELU] = gelu_back, [ACTIVATION_GELU_TANH] = gelu_tanh_back,
    [ACTIVATION_RELU] = relu_back,
};

void KERNEL(activation_forward)(const struct activation_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        forward[a->kind](row(a->x, r), NULL, row(a->y, r), c, 0);
}

void KERNEL(activation_backward)(const struct activation_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    if (!wants_grad(a->x))
        return;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        backward[a->kind](row(a->x, r), grad_row(a->y, r), grad_row(a->x, r), c,
                          a->x->fresh);
}
