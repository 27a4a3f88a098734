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

template <int V>
__global__ void norm_forward(int n, int c, const float *in, int x_ld, float *out, int y_ld,
                             const float *gain, const float *bias, float *stats, int stats_ld,
                             float eps, int center, int kept)
{
    DYN_SHARED(float, rows);
    const int lane = threadIdx.x % WARP;
    const struct turn mine = my_rows(n);
    float *row = rows + (size_t)(threadIdx.x / WARP) * c;
    for (size_t r = mine.first; r < mine.end; r += mine.step) {
        const float *x = in + r * x_ld, *again = kept ? row : x;
        float *y = out + r * y_ld, mean = 0, var = 0;
        if (center || kept)
            for (int i = lane * V; i < c; i += WARP * V) {
                const floats<V> t = load<V>(x + i);
                for (int k = 0; k < V; k++)
                    mean += t.v[k];
                if (kept)
                    store<V>(row + i, t);
            }
        mean = center ? warp_sum(mean) / c : 0;
        for (int i = lane * V; i < c; i += WARP * V) {
            const floats<V> t = load<V>(again + i);
            for (int k = 0; k < V; k++)
                var += (t.v[k] - mean) * (t.v[k] - mean);
        }
        const float rstd = 1 / sqrtf(warp_sum(var) / c + eps);

        for (int i = lane * V; i < c; i += WARP * V) {
            const floats<V> g = load_or<V>(gain, i, 1), b = load_or<V>(bias, i, 0);
            floats<V> t = load<V>(again + i);
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

/* With h = (x - mean) rstd and g = gain dy:
 *   dx (+)= rstd (g - [center] mean(g) - h mean(g h)).
 * h and g wait in shared memory. */
template <int V>
__global__ void norm_backward(int n, int c, const float *in, float *din, int x_ld,
                              bool fresh, const float *dout, int y_ld, const float *gain, const float *stats,
                              int stats_ld, int center, int kept)
{
    DYN_SHARED(float, rows);
    const int lane = threadIdx.x % WARP;
    const struct turn mine = my_rows(n);
    float *h_row = rows + (size_t)(threadIdx.x / WARP) * 2 * c, *g_row = h_row + c;
    for (size_t r = mine.first; r < mine.end; r += mine.step) {
        const float *x = in + r * x_ld, *dy = dout + r * y_ld;
        const float mean = stats[r * stats_ld], rstd = stats[r * stats_ld + 1];
        float *dx = din + r * x_ld, g_mean = 0, gh_mean = 0;
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
            floats<V> h = load<V>((kept ? h_row : x) + i), g = load<V>((kept ? g_row : dy) + i);
            floats<V> d = load_old<V>(dx + i, fresh);
            if (!kept)
                deviate(&h, &g, gain, i, mean, rstd);
            for (int k = 0; k < V; k++)
                d.v[k] += rstd * (g.v[k] - g_mean - h.v[k] * gh_mean);
            store<V>(dx + i, d);
        }
    }
}

/* One element's share in the gradients of gain and bias. */
struct norm_columns {
    const float *x, *dy, *stats;
    int x_ld, y_ld, stats_ld;

    __device__ __forceinline__ void operator()(size_t r, int i, float *dgain, float *dbias) const
    {
        const float g = dy[r * y_ld + i];
        *dgain += g * (x[r * x_ld + i] - stats[r * stats_ld]) * stats[r * stats_ld + 1];
        *dbias += g;
    }
};

static bool aligned(const struct tensor *t)
{
    return !t || (uintptr_t)t->data % 16 == 0;
}

extern "C" void cuda_norm_forward(const struct norm_args *a)
{
    const int n = a->x->rows, c = a->x->cols, keep = warps_that_keep(c, 1);
    const int warps = keep ? keep : WARPS;
    const bool fours = in_fours(a->x, a->x->data) && in_fours(a->y, a->y->data)
                    && aligned(a->gain) && aligned(a->bias);
    LAUNCH(fours ? norm_forward<4> : norm_forward<1>, blocks_for(n, warps * ROUNDS), warps * WARP,
           keep ? sizeof(float) * warps * c : 0, n, c, a->x->data, a->x->ld, a->y->data, a->y->ld,
           a->gain ? a->gain->data : nullptr, a->bias ? a->bias->data : nullptr, a->stats->data,
           a->stats->ld, a->eps, a->center, keep != 0);
}

extern "C" void cuda_norm_backward(const struct norm_args *a)
{
    const int n = a->x->rows, c = a->x->cols, keep = warps_that_keep(c, 2);
    const int warps = keep ? keep : WARPS;
    const bool fours = in_fours(a->x, a->x->data) && in_fours(a->x, a->x->grad)
                    && in_fours(a->y, a->y->grad) && aligned(a->gain);
    if (a->x->grad)
        LAUNCH(fours ? norm_backward<4> : norm_backward<1>, blocks_for(n, warps * ROUNDS),
               warps * WARP, keep ? sizeof(float) * 2 * warps * c : 0,
               n, c, a->x->data, a->x->grad, a->x->ld, a->x->fresh,
               a->y->grad, a->y->ld, a->gain ? a->gain->data : nullptr, a->stats->data,
               a->stats->ld, a->center, keep != 0);
    const struct norm_columns f = {a->x->data, a->y->grad, a->stats->data,
                                   a->x->ld, a->y->ld, a->stats->ld};
    add_columns(n, c, f, a->gain, a->bias);
}
