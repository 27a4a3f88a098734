/* residual.cu - y = x + step * f, one Euler step of the residual stream. */
#include "kernels/cuda/elementwise.cuh"

template <int V, class T>
__global__ void residual_forward(struct extent e, const float *x, int x_ld, const T *f,
                                 int f_ld, float *y, int y_ld, float step)
{
    const struct place at = my_place<V>(e);
    if (at.col >= e.cols)
        return;
    floats<V> t = load<V>(x + at.row * x_ld + at.col);
    const floats<V> u = load<V>(f + at.row * f_ld + at.col);
    for (int i = 0; i < V; i++)
        t.v[i] += step * u.v[i];
    store<V>(y + at.row * y_ld + at.col, t);
}

/* dx (+)= scale * dy, for one of the two inputs. */
template <int V, class T>
__global__ void residual_backward(struct extent e, T *dx, int x_ld, bool fresh, const float *dy,
                                  int y_ld, float scale)
{
    const struct place at = my_place<V>(e);
    if (at.col >= e.cols)
        return;
    T *to = dx + at.row * x_ld + at.col;
    floats<V> t = load_old<V>(to, fresh);
    const floats<V> g = load<V>(dy + at.row * y_ld + at.col);
    for (int i = 0; i < V; i++)
        t.v[i] += scale * g.v[i];
    store<V>(to, t);
}

extern "C" void cuda_residual_forward(const struct residual_args *a)
{
    const struct tensor *const t[] = {a->x, a->f, a->y};
    const float *const p[] = {a->x->data, a->f->data, a->y->data};
    const struct spread s = spread_over(t, p, 3);
    by_storage(a->f, [&](auto zero) {
        using T = decltype(zero);
        LAUNCH((s.fours ? residual_forward<4, T> : residual_forward<1, T>), s.blocks, BLOCK, 0,
               s.extent, a->x->data, a->x->ld, data_of<T>(a->f), a->f->ld, a->y->data, a->y->ld,
               a->step);
    });
}

static void add_to(const struct tensor *x, const struct tensor *y, float scale)
{
    if (!x->grad || x->grad == y->grad)     /* the same: x takes over what y has, see ops.h */
        return;
    const struct tensor *const t[] = {x, y};
    const float *const p[] = {x->grad, y->grad};
    const struct spread s = spread_over(t, p, 2);
    by_storage(x, [&](auto zero) {
        using T = decltype(zero);
        LAUNCH((s.fours ? residual_backward<4, T> : residual_backward<1, T>), s.blocks, BLOCK, 0,
               s.extent, grad_of<T>(x), x->ld, x->fresh, y->grad, y->ld, scale);
    });
}

extern "C" void cuda_residual_backward(const struct residual_args *a)
{
    add_to(a->x, a->y, 1);
    add_to(a->f, a->y, a->step);
}
