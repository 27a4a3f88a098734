/* activation.c - GELU, its tanh form, and ReLU. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vmath.h"

static const float GELU_SCALE = 0.7978845608f;     /* sqrt(2 / pi) */
static const float GELU_CUBE = 0.044715f;

/* 0.5 (1 + tanh u) is the logistic function of 2 u. */
static inline float gelu_tanh(float x)
{
    float slope;
    return x * logistic_float(2 * GELU_SCALE * (x + GELU_CUBE * x * x * x), &slope);
}

static inline float gelu_tanh_slope(float x)
{
    float slope, near = x < -30 ? -30 : x;      /* beyond, slope is 0 and must not meet inf */
    near = near > 30 ? 30 : near;
    const float s = logistic_float(2 * GELU_SCALE * (x + GELU_CUBE * x * x * x), &slope);
    return s + near * slope * 2 * GELU_SCALE * (1 + 3 * GELU_CUBE * near * near);
}

static inline float gelu(float x)
{
    float density;
    return x * normal_float(x, &density);
}

static inline float gelu_slope(float x)
{
    float density;
    const float p = normal_float(x, &density);
    return p + x * density;
}

/* A diverged NaN passes: it is not below 0. */
static inline float relu(float x) { return x < 0 ? 0 : x; }
static inline float relu_slope(float x) { return x > 0 ? 1 : x != x ? x : 0; }

#define ROW_LOOP(name, body)                                                                  \
    static void name(const float *restrict x, const float *restrict dy, float *restrict out, \
                     int c)                                                                   \
    {                                                                                         \
        (void)dy;                                                                             \
        _Pragma("omp simd")                                                                   \
        for (int i = 0; i < c; i++)                                                           \
            body;                                                                             \
    }

ROW_LOOP(gelu_row, out[i] = gelu(x[i]))
ROW_LOOP(gelu_tanh_row, out[i] = gelu_tanh(x[i]))
ROW_LOOP(relu_row, out[i] = relu(x[i]))
ROW_LOOP(gelu_back, out[i] += dy[i] * gelu_slope(x[i]))
ROW_LOOP(gelu_tanh_back, out[i] += dy[i] * gelu_tanh_slope(x[i]))
ROW_LOOP(relu_back, out[i] += dy[i] * relu_slope(x[i]))

typedef void row_loop(const float *restrict, const float *restrict, float *restrict, int);

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
        forward[a->kind](row(a->x, r), NULL, row(a->y, r), c);
}

void KERNEL(activation_backward)(const struct activation_args *a)
{
    const int n = a->x->rows, c = a->x->cols;
    if (!wants_grad(a->x))
        return;
    #pragma omp parallel for if ((size_t)n * (size_t)c > PARALLEL / 4)
    for (int r = 0; r < n; r++)
        backward[a->kind](row(a->x, r), grad_row(a->y, r), grad_row(a->x, r), c);
}
