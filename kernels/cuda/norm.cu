/* norm.cu - LayerNorm and RMSNorm by row: a warp to a row, two passes over the deviations.  The
 * row waits in shared memory between the passes, so that it is read once; each lane reads back
 * only what it wrote, so no barrier is needed.  A row too long for that is read again. */
#include "kernels/cuda/columns.cuh"

enum {
    KEPT_BYTES = 48 << 10,      /* shared memory that every device gives a block */
    ROUNDS = 2,                 /* rows of a warp */
};

/* Warps of a block, each with `rows` rows of c floats in shared memory; 0 where none fits. */
static int warps_that_keep(int c, int rows)
{
    const int fit = KEPT_BYTES / (4 * rows * c);
    return fit < WARPS ? fit : WARPS;
}

/* Rows of this warp: first, then every blockDim / WARP to the end.  A block takes several, so
 * that gain and bias come from memory once for all of them. */
struct turn {
    size_t first, end, step;
};

static __device__ __forceinline__ struct turn my_rows(int n)
{
    const size_t warps = blockDim.x / WARP, begin = blockIdx.x * warps * ROUNDS;
    const size_t end = begin + warps * ROUNDS;
    return {begin + threadIdx.x / WARP, end < n ? end : n, warps};
}

/* p[i .. i + V - 1], or `otherwise` where there is no p. */
template <int V>
static __device__ __forceinline__ floats<V> load_or(const float *p, int i, float otherwise)
{
    floats<V> t;
    if (p)
        return load<V>(p + i);
    for (int k = 0; k < V; k++)
        t.v[k] = otherwise;
    return t;
}

/* x = from + step * f, before it is normed or after its gradient is known.  f NULL: x is there. */
template <class F> struct sum {
    const float *from;
    F *f;                       /* backward its gradient */
    int from_ld, f_ld;
    bool fresh;                 /* that gradient holds nothing yet */
    float step;
};

/* x[i ..] of row r, which a sum is written to as well. */
template <int V, class X, class F>
static __device__ __forceinline__ floats<V> load_sum(const struct sum<F> &s, size_t r, X *x, int i)
{
    if (!s.f)
        return load<V>(x + i);
    floats<V> t = load<V>(s.from + r * s.from_ld + i);
    const floats<V> f = load<V>(s.f + r * s.f_ld + i);
    for (int k = 0; k < V; k++)
        t.v[k] += s.step * f.v[k];
    store<V>(x + i, t);
    return t;
}

/* X, Y and F: what x, y and f are stored as. */
template <int V, class X, class Y, class F>
__global__ void norm_forward(int n, int c, X *in, int x_ld, Y *out, int y_ld, const float *gain,
                             const float *bias, float *stats, int stats_ld, float eps, int center,
                             int kept, struct sum<F> s)
{
    DYN_SHARED(float, rows);
    const int lane = threadIdx.x % WARP;
    const struct turn mine = my_rows(n);
    float *row = rows + (size_t)(threadIdx.x / WARP) * c;
    for (size_t r = mine.first; r < mine.end; r += mine.step) {
        X *x = in + r * x_ld;
        Y *y = out + r * y_ld;
        float mean = 0, var = 0;
        if (center || kept || s.f)
            for (int i = lane * V; i < c; i += WARP * V) {
                const floats<V> t = load_sum<V>(s, r, x, i);
                for (int k = 0; k < V; k++)
                    mean += t.v[k];
                if (kept)
                    store<V>(row + i, t);
            }
        mean = center ? warp_sum(mean) / c : 0;
        for (int i = lane * V; i < c; i += WARP * V) {
            const floats<V> t = kept ? load<V>(row + i) : load<V>(x + i);
            for (int k = 0; k < V; k++)
                var += (t.v[k] - mean) * (t.v[k] - mean);
        }
        const float rstd = 1 / sqrtf(warp_sum(var) / c + eps);

        for (int i = lane * V; i < c; i += WARP * V) {
            const floats<V> g = load_or<V>(gain, i, 1), b = load_or<V>(bias, i, 0);
            floats<V> t = kept ? load<V>(row + i) : load<V>(x + i);
            for (int k = 0; k < V; k++)
                t.v[k] = (t.v[k] - mean) * rstd * g.v[k] + b.v[k];
            store<V>(y + i, t);
        }
        if (lane == 0) {
            stats[r * stats_ld] = mean;
            stats[r * stats_ld + 1] = rstd;
        }
    }
}

/* h and g of norm_backward. */
template <int V>
static __device__ __forceinline__ void deviate(floats<V> *h, floats<V> *g, const float *gain,
                                               int i, float mean, float rstd)
{
    const floats<V> scale = load_or<V>(gain, i, 1);
    for (int k = 0; k < V; k++) {
        h->v[k] = (h->v[k] - mean) * rstd;
        g->v[k] *= scale.v[k];
    }
}

template <int V, class F>
static __device__ __forceinline__ void add_to_f(const struct sum<F> &s, size_t r, int i,
                                                floats<V> d)
{
    if (!s.f)
        return;
    floats<V> t = load_old<V>(s.f + r * s.f_ld + i, s.fresh);
    for (int k = 0; k < V; k++)
        t.v[k] += s.step * d.v[k];
    store<V>(s.f + r * s.f_ld + i, t);
}

/* With h = (x - mean) rstd and g = gain dy:
 *   dx (+)= rstd (g - [center] mean(g) - h mean(g h)).
 * and then where x is a sum
 *   df (+)= step dx.
 * h and g wait in shared memory. */
template <int V, class X, class Y, class F>
__global__ void norm_backward(int n, int c, const X *in, X *din, int x_ld, bool fresh,
                              const Y *dout, int y_ld, const float *gain, const float *stats,
                              int stats_ld, int center, int kept, struct sum<F> s)
{
    DYN_SHARED(float, rows);
    const int lane = threadIdx.x % WARP;
    const struct turn mine = my_rows(n);
    float *h_row = rows + (size_t)(threadIdx.x / WARP) * 2 * c, *g_row = h_row + c;
    for (size_t r = mine.first; r < mine.end; r += mine.step) {
        const X *x = in + r * x_ld;
        const Y *dy = dout + r * y_ld;
        const float mean = stats[r * stats_ld], rstd = stats[r * stats_ld + 1];
        X *dx = din + r * x_ld;
        float g_mean = 0, gh_mean = 0;
        for (int i = lane * V; i < c; i += WARP * V) {
            floats<V> h = load<V>(x + i), g = load<V>(dy + i);
            deviate(&h, &g, gain, i, mean, rstd);
            for (int k = 0; k < V; k++) {
                g_mean += g.v[k];
                gh_mean += g.v[k] * h.v[k];
            }
            if (kept) {
                store<V>(h_row + i, h);
                store<V>(g_row + i, g);
            }
        }
        g_mean = center ? warp_sum(g_mean) / c : 0;
        gh_mean = warp_sum(gh_mean) / c;
        for (int i = lane * V; i < c; i += WARP * V) {
            floats<V> h = kept ? load<V>(h_row + i) : load<V>(x + i);
            floats<V> g = kept ? load<V>(g_row + i) : load<V>(dy + i);
            floats<V> d = load_old<V>(dx + i, fresh);
            if (!kept)
                deviate(&h, &g, gain, i, mean, rstd);
            for (int k = 0; k < V; k++)
                d.v[k] += rstd * (g.v[k] - g_mean - h.v[k] * gh_mean);
            store<V>(dx + i, d);
            add_to_f<V>(s, r, i, d);
        }
    }
}

/* One element's share in the gradients of gain and bias. */
template <class X, class Y> struct norm_columns {
    const X *x;
    const Y *dy;
    const float *stats;
    int x_ld, y_ld, stats_ld;

    __device__ __forceinline__ void operator()(size_t r, int i, float *dgain, float *dbias) const
    {
        const float g = dy[r * y_ld + i];
        *dgain += g * (float(x[r * x_ld + i]) - stats[r * stats_ld]) * stats[r * stats_ld + 1];
        *dbias += g;
    }
};

static bool aligned(const struct tensor *t)
{
    return !t || (uintptr_t)t->data % 16 == 0;
}

/* g(X(), Y(), F()) for what x, y and f are stored as; a sum is f32. */
template <class G> static void by_storages(const struct norm_args *a, G g)
{
    by_storage(a->x, [&](auto x) {
        by_storage(a->y, [&](auto y) {
            if constexpr (sizeof x == sizeof(float)) {
                if (a->sum && a->sum->f->storage == STORAGE_BF16)
                    return g(x, y, bf16());
            }
            g(x, y, float());
        });
    });
}

/* The sum that gives x, with f's data or its gradient. */
template <class F> static struct sum<F> sum_of(const struct norm_args *a, bool backward)
{
    const struct residual_args *s = a->sum;
    if (!s || (backward && !s->f->grad))
        return {};
    return {s->x->data, backward ? grad_of<F>(s->f) : data_of<F>(s->f), s->x->ld, s->f->ld,
            s->f->fresh != 0, s->step};
}

static bool sum_in_fours(const struct norm_args *a, bool backward)
{
    const struct residual_args *s = a->sum;
    return !s || (in_fours(s->x, s->x->data)
                  && in_fours(s->f, backward ? s->f->grad : s->f->data));
}

extern "C" void cuda_norm_forward(const struct norm_args *a)
{
    const int n = a->x->rows, c = a->x->cols, keep = warps_that_keep(c, 1);
    const int warps = keep ? keep : WARPS;
    const bool fours = in_fours(a->x, a->x->data) && in_fours(a->y, a->y->data)
                    && aligned(a->gain) && aligned(a->bias) && sum_in_fours(a, false);
    by_storages(a, [&](auto x, auto y, auto f) {
        using X = decltype(x);
        using Y = decltype(y);
        using F = decltype(f);
        LAUNCH((fours ? norm_forward<4, X, Y, F> : norm_forward<1, X, Y, F>),
               blocks_for(n, warps * ROUNDS), warps * WARP, keep ? sizeof(float) * warps * c : 0,
               n, c, data_of<X>(a->x), a->x->ld, data_of<Y>(a->y), a->y->ld,
               data_or_null(a->gain), data_or_null(a->bias), a->stats->data, a->stats->ld, a->eps,
               a->center, keep != 0, sum_of<F>(a, false));
    });
}

static void backward_to_x(const struct norm_args *a)
{
    const int n = a->x->rows, c = a->x->cols, keep = warps_that_keep(c, 2);
    const int warps = keep ? keep : WARPS;
    const bool fours = in_fours(a->x, a->x->data) && in_fours(a->x, a->x->grad)
                    && in_fours(a->y, a->y->grad) && aligned(a->gain) && sum_in_fours(a, true);
    by_storages(a, [&](auto x, auto y, auto f) {
        using X = decltype(x);
        using Y = decltype(y);
        using F = decltype(f);
        LAUNCH((fours ? norm_backward<4, X, Y, F> : norm_backward<1, X, Y, F>),
               blocks_for(n, warps * ROUNDS), warps * WARP,
               keep ? sizeof(float) * 2 * warps * c : 0, n, c, data_of<X>(a->x),
               grad_of<X>(a->x), a->x->ld, a->x->fresh, grad_of<Y>(a->y), a->y->ld,
               data_or_null(a->gain), a->stats->data, a->stats->ld, a->center, keep != 0,
               sum_of<F>(a, true));
    });
}

extern "C" void cuda_norm_backward(const struct norm_args *a)
{
    if (a->x->grad)
        backward_to_x(a);
    by_storages(a, [&](auto x, auto y, auto) {
        using X = decltype(x);
        using Y = decltype(y);
        const norm_columns<X, Y> f = {data_of<X>(a->x), grad_of<Y>(a->y), a->stats->data,
                                      a->x->ld, a->y->ld, a->stats->ld};
        add_columns(a->x->rows, a->x->cols, f, a->gain, a->bias);
    });
}
