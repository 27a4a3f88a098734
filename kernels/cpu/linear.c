/* linear.c - y = x w' + bias. */
#include "base/base.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vmath.h"
#include "kernels/matmul.h"
#include <stdlib.h>

/* Inputs of a product in bf16 where the machine multiplies it, else rounded to bf16
 * and kept in f32: the same meaning on every machine. */
#ifdef __AVX512BF16__
typedef uint16_t rounded;
static const enum precision ROUNDED = PRECISION_BF16;
static inline rounded round_one(float x) { return (uint16_t)bf16_bits(x); }
#else
typedef float rounded;
static const enum precision ROUNDED = PRECISION_F32;
static inline rounded round_one(float x) { return bf16_round(x); }
#endif

/* The matrix [rows, cols] with rows ld apart as an operand; rounded ones live in one of two
 * buffers that grow as needed and last. */
static struct matmul_in operand(enum precision precision, const struct tensor *t,
                                const float *data, int turned, int buffer)
{
    static struct { rounded *data; size_t size; } buffers[2];
    const size_t n = tensor_size(t), c = (size_t)t->cols;

    if (precision == PRECISION_F32)
        return (struct matmul_in){data, t->ld, turned};
    if (buffers[buffer].size < n) {
        free(buffers[buffer].data);
        buffers[buffer].data = zalloc(n, sizeof(rounded));
        buffers[buffer].size = n;
    }
    rounded *out = buffers[buffer].data;
    #pragma omp parallel for if (n > PARALLEL)
    for (int r = 0; r < t->rows; r++)
        for (size_t i = 0; i < c; i++)
            out[(size_t)r * c + i] = round_one(tensor_row(t, (float *)(uintptr_t)data, r)[i]);
    return (struct matmul_in){out, t->cols, turned};
}

void KERNEL(linear_forward)(const struct linear_args *a)
{
    matmul_run(&(struct matmul){
        .precision = a->precision == PRECISION_BF16 ? ROUNDED : PRECISION_F32,
        .m = a->x->rows, .n = a->y->cols, .k = a->x->cols,
        .a = operand(a->precision, a->x, a->x->data, 0, 0),
        .b = operand(a->precision, a->weight, a->weight->data, 1, 1),
        .c = a->y->data, .ldc = a->y->ld, .bias = a->bias ? a->bias->data : NULL,
    });
}

/* dbias += sum over rows of dy, of a thread's columns. */
static void bias_backward(const struct linear_args *a, int from)
{
    const int n = a->y->rows, w = min_int(COLUMNS, a->y->cols - from);
    float sum[COLUMNS] = {0};
    for (int r = 0; r < n; r++) {
        const float *dy = grad_row(a->y, r) + from;
        for (int i = 0; i < w; i++)
            sum[i] += dy[i];
    }
    for (int i = 0; i < w; i++)
        a->bias->grad[from + i] += sum[i];
}

/* dx += dy w;  dw += dy' x;  dbias += sum over rows of dy. */
void KERNEL(linear_backward)(const struct linear_args *a)
{
    const int n = a->x->rows, in = a->x->cols, out = a->y->cols;
    const enum precision p = a->precision == PRECISION_BF16 ? ROUNDED : PRECISION_F32;
    struct matmul_in dy = operand(a->precision, a->y, a->y->grad, 0, 0);

    if (wants_grad(a->x))
        matmul_run(&(struct matmul){
            .precision = p, .m = n, .n = in, .k = out, .a = dy,
            .b = operand(a->precision, a->weight, a->weight->data, 0, 1),
            .c = a->x->grad, .ldc = a->x->ld, .add = 1,
        });
    dy.turned = 1;
    if (wants_grad(a->weight))
        matmul_run(&(struct matmul){
            .precision = p, .m = out, .n = in, .k = n, .a = dy,
            .b = operand(a->precision, a->x, a->x->data, 0, 1),
            .c = a->weight->grad, .ldc = a->weight->ld, .add = 1,
        });
    if (wants_grad(a->bias)) {
        #pragma omp parallel for if ((size_t)n * (size_t)out > PARALLEL)
        for (int from = 0; from < out; from += COLUMNS)
            bias_backward(a, from);
    }
}
