/* linear.cu - y = x weight' + bias. */
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/matmul.cuh"

extern "C" {
void cuda_activation_forward(const struct activation_args *a);
void cuda_activation_backward(const struct activation_args *a);
}

/* One element's share in the bias gradient. */
template <class T> struct bias_columns {
    const T *dy;
    int y_ld;

    __device__ __forceinline__ void operator()(size_t r, int i, float *dbias, float *) const
    {
        *dbias += float(dy[r * y_ld + i]);
    }
};

/* The bias as it is added to numbers of y's storage. */
static const void *bias_of(const struct linear_args *a)
{
    return !a->bias ? nullptr
         : a->y->storage == STORAGE_BF16 ? (const void *)a->bias->narrow : a->bias->data;
}

extern "C" void cuda_linear_forward(const struct linear_args *a)
{
    const int n = a->x->rows, in = a->x->cols, out = a->y->cols;
    struct product p = {
        .a = operand_of(a->x, a->x->data, 0, n, a->precision, SCRATCH_LEFT),
        .b = operand_of(a->weight, a->weight->data, 0, out, a->precision, SCRATCH_RIGHT),
        .c = a->y->data, .c_ld = a->y->ld, .c_storage = a->y->storage, .bias = bias_of(a),
        .m = n, .n = out, .k = in, .a_turned = false, .b_turned = true, .add = false,
        .precision = a->precision,
    };
    if (a->after && a->after->kind == ACTIVATION_GELU_TANH) {
        struct product joined = p;
        joined.c = a->after->y->data, joined.c_ld = a->after->y->ld;
        joined.gelu_of = a->y->data, joined.aux_ld = a->y->ld;
        if (matmul(&joined))
            return;
    }
    matmul(&p);
    if (a->after)
        cuda_activation_forward(a->after);
}

/* dx (+)= dy weight, and on through the activation that x came from. */
static void backward_to_x(const struct linear_args *a, struct operand dy)
{
    const int n = a->x->rows, in = a->x->cols, out = a->y->cols;
    const struct product p = {
        .a = dy, .b = operand_of(a->weight, a->weight->data, 0, out, a->precision, SCRATCH_RIGHT),
        .c = a->x->grad, .c_ld = a->x->ld, .c_storage = a->x->storage, .bias = nullptr,
        .m = n, .n = in, .k = out, .a_turned = false, .b_turned = false, .add = !a->x->fresh,
        .precision = a->precision,
    };
    if (a->before && a->before->kind == ACTIVATION_GELU_TANH) {
        const struct tensor *x = a->before->x;
        struct product joined = p;
        joined.c = x->grad, joined.c_ld = x->ld;
        joined.slope_at = x->data, joined.aux_ld = x->ld;
        if (matmul(&joined))
            return;
    }
    matmul(&p);
    if (a->before)
        cuda_activation_backward(a->before);
}

/* The bias gradient with the weight's, where it is stored; else on its own. */
static void backward_to_weight(const struct linear_args *a, struct operand dy)
{
    const int n = a->x->rows, in = a->x->cols, out = a->y->cols;
    const struct tensor *bias = a->bias && a->bias->grad ? a->bias : nullptr;
    bool summed = false;
    if (a->weight->grad) {          /* dweight (+)= dy' x */
        struct product p = {
            .a = dy, .b = operand_of(a->x, a->x->data, 0, n, a->precision, SCRATCH_RIGHT),
            .c = a->weight->grad, .c_ld = a->weight->ld, .c_storage = STORAGE_F32,
            .bias = nullptr, .m = out, .n = in, .k = n, .a_turned = true, .b_turned = false,
            .add = !a->weight->fresh, .precision = a->precision,
        };
        p.sums = bias && bias->fresh ? bias->grad : nullptr;
        summed = p.sums && matmul(&p);
        p.sums = nullptr;
        if (!summed)
            matmul(&p);
    }
    if (bias && !summed)
        by_storage(a->y, [&](auto zero) {
            using T = decltype(zero);
            add_columns(n, out, bias_columns<T>{grad_of<T>(a->y), a->y->ld}, bias, nullptr);
        });
}

extern "C" void cuda_linear_backward(const struct linear_args *a)
{
    const struct operand dy = operand_of(a->y, a->y->grad, 0, a->x->rows, a->precision,
                                         SCRATCH_LEFT);
    if (a->x->grad)
        backward_to_x(a, dy);
    backward_to_weight(a, dy);
}
