/* linear.c - y = x w' + bias. */
#include "kernels/cpu/cpu.h"
#include "kernels/matmul.h"

void KERNEL(linear_forward)(const struct linear_args *a)
{
    KERNEL(product)(&(struct matmul){
        .precision = a->precision, .m = a->x->rows, .n = a->y->cols, .k = a->x->cols,
        .a = {a->x->data, a->x->ld, 0}, .b = {a->weight->data, a->weight->ld, 1},
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

    if (wants_grad(a->x))
        KERNEL(product)(&(struct matmul){
            .precision = a->precision, .m = n, .n = in, .k = out,
            .a = {a->y->grad, a->y->ld, 0}, .b = {a->weight->data, a->weight->ld, 0},
            .c = a->x->grad, .ldc = a->x->ld, .add = 1,
        });
    if (wants_grad(a->weight))
        KERNEL(product)(&(struct matmul){
            .precision = a->precision, .m = out, .n = in, .k = n,
            .a = {a->y->grad, a->y->ld, 1}, .b = {a->x->data, a->x->ld, 0},
            .c = a->weight->grad, .ldc = a->weight->ld, .add = 1,
        });
    if (wants_grad(a->bias)) {
        #pragma omp parallel for if ((size_t)n * (size_t)out > PARALLEL)
        for (int from = 0; from < out; from += COLUMNS)
            bias_backward(a, from);
    }
}
