/* attention_tiled.cu - attention in f32 arithmetic, tile by tile (Dao et al. 2022): 8 warps own
 * 4 rows each; the other side comes by in tiles of 32 rows, one to a lane, for the scores, and
 * columns over the lanes for the sums.  N is the columns that a lane holds: heads to 32 N. */
#include "kernels/cuda/attention.cuh"

enum { OWN = 4, TILE = 32 };            /* rows of a warp, of a tile */

template <class T> bool attention_tiled_fits(const struct attention<T> *a)
{
    return a->d <= 4 * WARP;
}

/* Floats between a tile's rows: odd, so that lanes that read a column meet no bank twice. */
static __host__ __device__ __forceinline__ int pitch(int d)
{
    return d | 1;
}

/* Rows first .. first + TILE - 1 of [rows, d] into shared memory, 0 past the end. */
template <class T>
static __device__ __forceinline__ void load_tile(const struct attention<T> &a, float *to,
                                                 const T *from, int ld, int first, int rows)
{
    for (int e = threadIdx.x; e < TILE * a.d; e += BLOCK) {
        const int r = e / a.d, c = e % a.d;
        to[r * pitch(a.d) + c] = first + r < rows
                               ? rounded(a.narrow, from[(size_t)(first + r) * ld + c]) : 0;
    }
}

/* sum[w] = x[row w of this warp] . y[row `lane`] for tiles x and y. */
template <class T>
static __device__ __forceinline__ void dots(const struct attention<T> &a, const float *x,
                                            const float *y, float sum[OWN])
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const float *mine = x + warp * OWN * pitch(a.d), *other = y + lane * pitch(a.d);
    for (int w = 0; w < OWN; w++)
        sum[w] = 0;
#pragma unroll 4
    for (int c = 0; c < a.d; c++)
        for (int w = 0; w < OWN; w++)
            sum[w] += mine[w * pitch(a.d) + c] * other[c];
}

/* acc[w][u] += sum over rows r of the tile of weights[w][r] tile[r][lane + 32 u]. */
template <int N, class T>
static __device__ __forceinline__ void mix(const struct attention<T> &a, float (*weights)[TILE],
                                           const float *tile, float acc[OWN][N])
{
    const int lane = threadIdx.x % WARP;
#pragma unroll 4        /* all 32 would need more registers than two blocks have */
    for (int r = 0; r < TILE; r++)
        for (int u = 0; u < N; u++) {
            const int c = lane + u * WARP;
            const float x = c < a.d ? tile[r * pitch(a.d) + c] : 0;
            for (int w = 0; w < OWN; w++)
                acc[w][u] += weights[w][r] * x;
        }
}

/* to[row w][columns] (+)= factor[w] * acc[w], for the rows of this warp that exist. */
template <int N, class T>
static __device__ __forceinline__ void put(const struct attention<T> &a, T *to, int ld,
                                           bool fresh, int first, int rows,
                                           const float factor[OWN], const float acc[OWN][N])
{
    const int lane = threadIdx.x % WARP, row = first + threadIdx.x / WARP * OWN;
    for (int w = 0; w < OWN && row + w < rows; w++)
        for (int u = 0; u < N; u++) {
            const int c = lane + u * WARP;
            T *at = to + (size_t)(row + w) * ld + c;
            if (c < a.d)
                *at = T((fresh ? 0 : float(*at)) + factor[w] * acc[w][u]);
        }
}

/* The block's batch, head and first own row. */
struct corner {
    int b, h, first;
    size_t q, k, v, y;      /* where this head of this sequence starts */
};

template <class T>
static __device__ __forceinline__ struct corner my_corner(const struct attention<T> &a, int tiles)
{
    const int b = blockIdx.x / tiles / a.heads, h = blockIdx.x / tiles % a.heads;
    const size_t rows = (size_t)b * a.tq, keys = (size_t)b * a.tk, col = (size_t)h * a.d;
    return {b, h, (int)(blockIdx.x % tiles) * TILE, rows * a.q_ld + col, keys * a.k_ld + col,
            keys * a.v_ld + col, rows * a.y_ld + col};
}

/* One past the last key that any of TILE queries from `first` sees. */
template <class T>
static __device__ __forceinline__ int last_key(const struct attention<T> &a, int b, int first)
{
    return keys_seen(a, b, min(first + TILE, a.tq) - 1);
}

template <int N, class T>
__global__ void __launch_bounds__(BLOCK, 2) attention_tiled_rows(struct attention<T> a, int tiles)
{
    DYN_SHARED(float, q);
    float *k = q + TILE * pitch(a.d), *v = k + TILE * pitch(a.d);
    __shared__ float share[WARPS][OWN][TILE];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const struct corner at = my_corner(a, tiles);
    const int mine = at.first + warp * OWN, end = last_key(a, at.b, at.first);
    const struct draw d = read_draw(a.draw, a.site, a.p);
    float acc[OWN][N] = {}, max[OWN], sum[OWN] = {}, s[OWN];
    for (int w = 0; w < OWN; w++)
        max[w] = -INFINITY;

    load_tile(a, q, a.q + at.q, a.q_ld, at.first, a.tq);
    for (int j0 = 0; j0 < end; j0 += TILE) {
        load_tile(a, k, a.k + at.k, a.k_ld, j0, a.tk);
        load_tile(a, v, a.v + at.v, a.v_ld, j0, a.tk);
        __syncthreads();
        dots(a, q, k, s);
        const int j = j0 + lane;
        for (int w = 0; w < OWN; w++) {
            const bool seen = mine + w < a.tq && j < keys_seen(a, at.b, mine + w);
            const float x = seen ? a.scale * s[w] : -INFINITY;
            const float top = fmaxf(max[w], warp_max(x));
            const float old = top == -INFINITY ? 1 : expf(max[w] - top);
            const float p = seen ? expf(x - top) : 0;
            const uint64_t e = first_element(a, at.b, at.h, mine + w) + j;
            share[warp][w][lane] = rounded(a.narrow, seen ? p * keep(d, e) : 0);
            sum[w] = sum[w] * old + warp_sum(p);
            max[w] = top;
            for (int u = 0; u < N; u++)
                acc[w][u] *= old;
        }
        __syncwarp();
        mix<N>(a, share[warp], v, acc);
        __syncthreads();
    }
    for (int w = 0; w < OWN; w++) {
        if (lane == 0 && mine + w < a.tq)
            a.lse[((size_t)at.b * a.tq + mine + w) * a.lse_ld + at.h] = max[w] + logf(sum[w]);
        sum[w] = sum[w] > 0 ? 1 / sum[w] : 0;
    }
    put<N>(a, a.y + at.y, a.y_ld, true, at.first, a.tq, sum, acc);
}

/* What both backward kernels need of (query i, key j): the kept probability and the gradient of
 * the score, rounded as inputs of the next product; 0 where the query does not see the key. */
template <class T>
static __device__ __forceinline__ void weigh(const struct attention<T> &a, struct draw d,
                                             const struct corner &at, int i, int j, float s,
                                             float dp, float *share, float *ds)
{
    *share = *ds = 0;
    if (i >= a.tq || j >= keys_seen(a, at.b, i))
        return;
    const size_t row = (size_t)at.b * a.tq + i;
    const float p = expf(a.scale * s - a.lse[row * a.lse_ld + at.h]);
    const float factor = keep(d, first_element(a, at.b, at.h, i) + j);
    *share = rounded(a.narrow, p * factor);
    *ds = rounded(a.narrow, p * (factor * dp - a.delta[row * a.heads + at.h]));
}

/* dq (+)= scale ds k: the block owns queries, keys come by. */
template <int N, class T>
__global__ void __launch_bounds__(BLOCK, 2) attention_tiled_dq(struct attention<T> a, int tiles)
{
    DYN_SHARED(float, q);
    float *dy = q + TILE * pitch(a.d), *k = dy + TILE * pitch(a.d), *v = k + TILE * pitch(a.d);
    __shared__ float weight[WARPS][OWN][TILE];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const struct corner at = my_corner(a, tiles);
    const int mine = at.first + warp * OWN, end = last_key(a, at.b, at.first);
    const struct draw d = read_draw(a.draw, a.site, a.p);
    float acc[OWN][N] = {}, s[OWN], dp[OWN], share, factor[OWN];

    load_tile(a, q, a.q + at.q, a.q_ld, at.first, a.tq);
    load_tile(a, dy, a.dy + at.y, a.y_ld, at.first, a.tq);
    for (int j0 = 0; j0 < end; j0 += TILE) {
        load_tile(a, k, a.k + at.k, a.k_ld, j0, a.tk);
        load_tile(a, v, a.v + at.v, a.v_ld, j0, a.tk);
        __syncthreads();
        dots(a, q, k, s);
        dots(a, dy, v, dp);
        for (int w = 0; w < OWN; w++)
            weigh(a, d, at, mine + w, j0 + lane, s[w], dp[w], &share, &weight[warp][w][lane]);
        __syncwarp();
        mix<N>(a, weight[warp], k, acc);
        __syncthreads();
    }
    for (int w = 0; w < OWN; w++)
        factor[w] = a.scale;
    put<N>(a, a.dq + at.q, a.q_ld, a.dq_fresh, at.first, a.tq, factor, acc);
}

/* dk (+)= scale ds q, dv (+)= share dy: the block owns keys, queries come by. */
template <int N, class T>
__global__ void __launch_bounds__(BLOCK, 2) attention_tiled_dkv(struct attention<T> a, int tiles)
{
    DYN_SHARED(float, k);
    float *v = k + TILE * pitch(a.d), *q = v + TILE * pitch(a.d), *dy = q + TILE * pitch(a.d);
    __shared__ float share[WARPS][OWN][TILE], ds[WARPS][OWN][TILE];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const struct corner at = my_corner(a, tiles);
    const int mine = at.first + warp * OWN;
    const struct draw d = read_draw(a.draw, a.site, a.p);
    float acc_k[OWN][N] = {}, acc_v[OWN][N] = {}, s[OWN], dp[OWN], factor[OWN];

    load_tile(a, k, a.k + at.k, a.k_ld, at.first, a.tk);
    load_tile(a, v, a.v + at.v, a.v_ld, at.first, a.tk);
    for (int i0 = 0; i0 < a.tq; i0 += TILE) {
        if (last_key(a, at.b, i0) <= at.first)
            continue;                   /* none of these queries sees any of these keys */
        load_tile(a, q, a.q + at.q, a.q_ld, i0, a.tq);
        load_tile(a, dy, a.dy + at.y, a.y_ld, i0, a.tq);
        __syncthreads();
        dots(a, k, q, s);
        dots(a, v, dy, dp);
        for (int w = 0; w < OWN; w++)
            weigh(a, d, at, i0 + lane, mine + w, s[w], dp[w], &share[warp][w][lane],
                  &ds[warp][w][lane]);
        __syncwarp();
        mix<N>(a, ds[warp], q, acc_k);
        mix<N>(a, share[warp], dy, acc_v);
        __syncthreads();
    }
    for (int w = 0; w < OWN; w++)
        factor[w] = a.scale;
    if (a.dk)
        put<N>(a, a.dk + at.k, a.k_ld, a.dk_fresh, at.first, a.tk, factor, acc_k);
    for (int w = 0; w < OWN; w++)
        factor[w] = 1;
    if (a.dv)
        put<N>(a, a.dv + at.v, a.v_ld, a.dv_fresh, at.first, a.tk, factor, acc_v);
}

/* Launch the kernel for this head size over tiles of `time` own rows. */
#define LAUNCH_TILED(kernel, time, shared_tiles)                                             \
    do {                                                                                     \
        const int tiles_ = (int)blocks_for(time, TILE);                                      \
        const unsigned blocks_ = (unsigned)(a->batch * a->heads * tiles_);                   \
        const int bytes_ = (int)sizeof(float) * (shared_tiles) * TILE * pitch(a->d);         \
        const auto kernel_ = a->d <= WARP ? kernel<1, T> : a->d <= 2 * WARP ? kernel<2, T>   \
                           : a->d <= 3 * WARP ? kernel<3, T> : kernel<4, T>;                 \
        CUDA(cudaFuncSetAttribute(kernel_, cudaFuncAttributeMaxDynamicSharedMemorySize,      \
                                  bytes_));                                                  \
        LAUNCH(kernel_, blocks_, BLOCK, bytes_, *a, tiles_);                                 \
    } while (0)

template <class T> void attention_tiled_forward(const struct attention<T> *a)
{
    LAUNCH_TILED(attention_tiled_rows, a->tq, 3);
}

template <class T> void attention_tiled_backward(const struct attention<T> *a)
{
    if (a->dq)
        LAUNCH_TILED(attention_tiled_dq, a->tq, 4);
    if (a->dk || a->dv)
        LAUNCH_TILED(attention_tiled_dkv, a->tk, 4);
}

#define INSTANTIATE(T)                                                     \
    template bool attention_tiled_fits(const struct attention<T> *);       \
    template void attention_tiled_forward(const struct attention<T> *);    \
    template void attention_tiled_backward(const struct attention<T> *);
INSTANTIATE(float)
INSTANTIATE(bf16)
