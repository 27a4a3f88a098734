/* dropout.cu - y = x where kept, scaled; the backward pass draws the same numbers again. */
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/random.cuh"

/* to = factor * from, or to += factor * from.  Elements are numbered along
 * rows of cols columns; 4 of them share a Philox block. */
template <int V>
__global__ void dropout_apply(struct extent e, const float *from, int from_ld, float *to,
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

extern "C" void cuda_dropout_forward(const struct dropout_args *a)
{
    const struct tensor *const t[] = {a->x, a->y};
    const float *const p[] = {a->x->data, a->y->data};
    const struct spread s = spread_over(t, p, 2);
    LAUNCH(s.fours ? dropout_apply<4> : dropout_apply<1>, s.blocks, BLOCK, 0, s.extent,
           a->x->data, a->x->ld, a->y->data, a->y->ld, false, a->draw->data, a->site, a->p);
}

extern "C" void cuda_dropout_backward(const struct dropout_args *a)
{
    if (!a->x->grad)
        return;
    const struct tensor *const t[] = {a->x, a->y};
    const float *const p[] = {a->x->grad, a->y->grad};
    const struct spread s = spread_over(t, p, 2);
    LAUNCH(s.fours ? dropout_apply<4> : dropout_apply<1>, s.blocks, BLOCK, 0, s.extent,
           a->y->grad, a->y->ld, a->x->grad, a->x->ld, !a->x->fresh, a->draw->data, a->site,
           a->p);
}
