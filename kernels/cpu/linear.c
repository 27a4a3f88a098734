/* linear.c - y = x w' + bias. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/product.h"

void KERNEL(linear_forward)(const struct linear_args *a)
{
    KERNEL(product)(&(struct product){
        .precision = a->precision, .m = a->x->rows, .n = a->y->cols, .k = a->x->cols,
        .a = factor_of(a->x, a->x->data, 0), .b = factor_of(a->weight, a->weight->data, 1),
        .c = numbers_of(a->y, a->y->data), .bias = a->bias ? a->bias->data : NULL,
        .halves = a->weight->halves,
    });
}

/* dx += dy w;  dw += dy' x;  dbias += sum over rows of dy. */
void KERNEL(linear_backward)(const struct linear_args *a)
{
    const int n = a->x->rows, in = a->x->cols, out = a->y->cols;

    if (wants_grad(a->x))
        KERNEL(product)(&(struct product){
            .precision = a->precision, .m = n, .n = in, .k = out,
            .a = factor_of(a->y, a->y->grad, 0), .b = factor_of(a->weight, a->weight->data, 0),
            .c = numbers_of(a->x, a->x->grad), .add = !a->x->fresh,
        });
    if (wants_grad(a->bias) && a->bias->fresh)
        KERNEL(zero)(a->bias->grad, (size_t)out);
    if (wants_grad(a->weight))
        KERNEL(product)(&(struct product){
            .precision = a->precision, .m = out, .n = in, .k = n,
            .a = factor_of(a->y, a->y->grad, 1), .b = factor_of(a->x, a->x->data, 0),
            .c = numbers_of(a->weight, a->weight->grad), .add = !a->weight->fresh,
            .sums = wants_grad(a->bias) ? a->bias->grad : NULL,
        });
}
