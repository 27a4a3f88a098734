/* norm.cu - LayerNorm and RMSNorm by row: a warp to a row, two passes over the deviations.  The
 * row waits in shared memory between the passes, so that it is read once; each lane reads back
 * only what it wrote, so no barrier is needed.  A row too long for that is read again. */
#include "kernels/cuda/columns.cuh"

enum { KEPT_BYTES = 48 << 10 };     /* shared memory that every device gives a block */

/* Warps of a block, each with `rows` rows of c floats in shared memory; 0 where none fits. */
static int warps_that_keep(int c, int rows)
{
    const int fit = KEPT_BYTES / (4 * rows * c);
    return fit < WARPS ? fit : WARPS;
}

template <int V>
__global__ void norm_forward(int n, int c, const float *x, int x_ld, float *y, int y_ld,
                             const float *gain, const float *bias, float *stats, int stats_ld,
                             float eps, int center, int kept)
{
    DYN_SHARED(float, rows);
    const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    const size_t r = (size_t)blockIdx.x * (blockDim.x / WARP) + warp;
    if (r >= n)
        return;
    x += r * x_ld;
    y += r * y_ld;
    float *row = rows + (size_t)warp * c;
    const float *again = kept ? row : x;

    float mean = 0, var = 0;
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
        floats<V> t = load<V>(again + i);
        for (int k = 0; k < V; k++)
            t.v[k] = (t.v[k] - mean) * rstd * (gain ? gain[i + k] : 1) + (bias ? bias[i + k] : 0);
        store<V>(y + i, t);
    }
    if (lane == 0) {
        stats[r * stats_ld] = mean;
        stats[r * stats_ld + 1] = rstd;
    }
}

/* With h = (x - mean) rstd and g = gain dy:
 *   dx += rstd (g - [center] mean(g) - h mean(g h)).
 * h and g wait in shared memory. */
template <int V>
__global__ void norm_backward(int n, int c, const float *x, float *dx, int x_ld, const float *dy,
                              int y_ld, const float *gain, const float *stats, int stats_ld,
                              int center, int kept)
{
    DYN_SHARED(float, rows);
    const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    const size_t r = (size_t)blockIdx.x * (blockDim.x / WARP) + warp;
    if (r >= n)
        return;
    x += r * x_ld;
    dx += r * x_ld;
    dy += r * y_ld;
    float *h_row = rows + (size_t)warp * 2 * c, *g_row = h_row + c;
    const float mean = stats[r * stats_ld], rstd = stats[r * stats_ld + 1];

    float g_mean = 0, gh_mean = 0;
    for (int i = lane * V; i < c; i += WARP * V) {
        floats<V> h = load<V>(x + i), g = load<V>(dy + i);
        for (int k = 0; k < V; k++) {
            h.v[k] = (h.v[k] - mean) * rstd;
            g.v[k] *= gain ? gain[i + k] : 1;
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
        floats<V> d = load<V>(dx + i);
        for (int k = 0; k < V; k++) {
            if (!kept) {
                h.v[k] = (h.v[k] - mean) * rstd;
                g.v[k] *= gain ? gain[i + k] : 1;
            }
            d.v[k] += rstd * (g.v[k] - g_mean - h.v[k] * gh_mean);
        }
        store<V>(dx + i, d);
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

extern "C" void cuda_norm_forward(const struct norm_args *a)
{
    const int n = a->x->rows, c = a->x->cols, keep = warps_that_keep(c, 1);
    const int warps = keep ? keep : WARPS;
    const bool fours = in_fours(a->x, a->x->data) && in_fours(a->y, a->y->data);
    LAUNCH(fours ? norm_forward<4> : norm_forward<1>, blocks_for(n, warps), warps * WARP,
           keep ? sizeof(float) * warps * c : 0, n, c, a->x->data, a->x->ld, a->y->data, a->y->ld,
           a->gain ? a->gain->data : nullptr, a->bias ? a->bias->data : nullptr, a->stats->data,
           a->stats->ld, a->eps, a->center, keep != 0);
}

extern "C" void cuda_norm_backward(const struct norm_args *a)
{
    const int n = a->x->rows, c = a->x->cols, keep = warps_that_keep(c, 2);
    const int warps = keep ? keep : WARPS;
    const bool fours = in_fours(a->x, a->x->data) && in_fours(a->x, a->x->grad)
                    && in_fours(a->y, a->y->grad);
    if (a->x->grad)
        LAUNCH(fours ? norm_backward<4> : norm_backward<1>, blocks_for(n, warps), warps * WARP,
               keep ? sizeof(float) * 2 * warps * c : 0, n, c, a->x->data, a->x->grad, a->x->ld,
               a->y->grad, a->y->ld, a->gain ? a->gain->data : nullptr, a->stats->data,
               a->stats->ld, a->center, keep != 0);
    const struct norm_columns f = {a->x->data, a->y->grad, a->stats->data,
                                   a->x->ld, a->y->ld, a->stats->ld};
    add_columns(n, c, f, a->gain ? a->gain->grad : nullptr, a->bias ? a->bias->grad : nullptr);
}
