/* dropout.cu - y = x where kept, scaled; the backward pass draws the same numbers again. */
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/random.cuh"

/* to = factor * from, or to += factor * from.  Elements are numbered along
 * rows of cols columns; 4 of them share a Philox block. */
template <int V, class T>
__global__ void dropout_apply(struct extent e, const T *from, int from_ld, T *to,
                              int to_ld, bool add, const float *words, unsigned site, float p)
{
    const struct place at = my_place<V>(e);
    if (at.col >= e.cols)
        return;
    const struct draw d = read_draw(words, site, p);
    const uint64_t first = at.row * e.cols + at.col;
    const floats<V> x = load<V>(from + at.row * from_ld + at.col);
    floats<V> y = load_old<V>(to + at.row * to_ld + at.col, !add);
    if (V == 4) {
        const struct random4 r = random_at(d.seed, d.site, d.step, first / 4);
        for (int i = 0; i < V; i++)
            y.v[i] += random_uniform(r.v[i]) >= d.p ? d.scale * x.v[i] : 0;
    } else {
        y.v[0] += keep(d, first) * x.v[0];
    }
    store<V>(to + at.row * to_ld + at.col, y);
}

/* From t's numbers to u's. */
static void apply(const struct dropout_args *a, const struct tensor *t, const float *from,
                  const struct tensor *u, float *to, bool add)
{
    const struct tensor *const tensors[] = {t, u};
    const float *const p[] = {from, to};
    const struct spread s = spread_over(tensors, p, 2);
    by_storage(t, [&](auto zero) {
        using T = decltype(zero);
        LAUNCH((s.fours ? dropout_apply<4, T> : dropout_apply<1, T>), s.blocks, BLOCK, 0, s.extent,
               (const T *)from, t->ld, (T *)to, u->ld, add, a->draw->data, a->site, a->p);
    });
}

extern "C" void cuda_dropout_forward(const struct dropout_args *a)
{
    apply(a, a->x, a->x->data, a->y, a->y->data, false);
}

extern "C" void cuda_dropout_backward(const struct dropout_args *a)
{
    if (a->x->grad)
        apply(a, a->y, a->y->grad, a->x, a->x->grad, !a->x->fresh);
}
