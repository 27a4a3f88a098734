/* linear.c - y = x w' + bias. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/product.h"

void KERNEL(linear_forward)(const struct linear_args *a)
{
    KERNEL(product)(&(struct product){
        .precision = a->precision, .m = a->x->rows, .n = a->y->cols, .k = a->x->cols,
        .a = {a->x->data, a->x->ld, 0}, .b = {a->weight->data, a->weight->ld, 1},
        .c = a->y->data, .ldc = a->y->ld, .bias = a->bias ? a->bias->data : NULL,
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
            .a = {a->y->grad, a->y->ld, 0}, .b = {a->weight->data, a->weight->ld, 0},
            .c = a->x->grad, .ldc = a->x->ld, .add = !a->x->fresh,
        });
    if (wants_grad(a->bias) && a->bias->fresh)
        KERNEL(zero)(a->bias->grad, (size_t)out);
    if (wants_grad(a->weight))
        KERNEL(product)(&(struct product){
            .precision = a->precision, .m = out, .n = in, .k = n,
            .a = {a->y->grad, a->y->ld, 1}, .b = {a->x->data, a->x->ld, 0},
            .c = a->weight->grad, .ldc = a->weight->ld, .add = !a->weight->fresh,
            .sums = wants_grad(a->bias) ? a->bias->grad : NULL,
        });
}
