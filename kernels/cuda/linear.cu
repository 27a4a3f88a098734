/* linear.cu - y = x weight' + bias. */
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/matmul.cuh"

/* One element's share in the bias gradient. */
struct bias_columns {
    const float *dy;
    int y_ld;

    __device__ __forceinline__ void operator()(size_t r, int i, float *dbias, float *) const
    {
        *dbias += dy[r * y_ld + i];
    }
};

extern "C" void cuda_linear_forward(const struct linear_args *a)
{
    const struct product p = {
        .a = a->x->data, .b = a->weight->data, .c = a->y->data,
        .bias = a->bias ? a->bias->data : nullptr,
        .m = a->x->rows, .n = a->y->cols, .k = a->x->cols,
        .a_ld = a->x->ld, .b_ld = a->weight->ld, .c_ld = a->y->ld,
        .a_turned = false, .b_turned = true, .add = false, .precision = a->precision,
    };
    matmul(&p);
}

extern "C" void cuda_linear_backward(const struct linear_args *a)
{
    const int n = a->x->rows, in = a->x->cols, out = a->y->cols;
    if (a->x->grad) {               /* dx (+)= dy weight */
        const struct product p = {
            .a = a->y->grad, .b = a->weight->data, .c = a->x->grad, .bias = nullptr,
            .m = n, .n = in, .k = out,
            .a_ld = a->y->ld, .b_ld = a->weight->ld, .c_ld = a->x->ld,
            .a_turned = false, .b_turned = false, .add = !a->x->fresh, .precision = a->precision,
        };
        matmul(&p);
    }
    if (a->weight->grad) {          /* dweight (+)= dy' x */
        const struct product p = {
            .a = a->y->grad, .b = a->x->data, .c = a->weight->grad, .bias = nullptr,
            .m = out, .n = in, .k = n,
            .a_ld = a->y->ld, .b_ld = a->x->ld, .c_ld = a->weight->ld,
            .a_turned = true, .b_turned = false, .add = !a->weight->fresh,
            .precision = a->precision,
        };
        matmul(&p);
    }
    add_columns(n, out, bias_columns{a->y->grad, a->y->ld}, a->bias, nullptr);
}
