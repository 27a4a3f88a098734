/* attention_mma_backward.cu - attention backward in bf16 on tensor cores (Dao 2023): a block owns
 * 64 queries and sums up dq while keys come by, or owns 64 keys and sums up dk and dv while
 * queries come by; each computes the scores anew.  No atomics: the sums have one order. */
#include "kernels/cuda/attention_mma.cuh"

/* Half of the tile that comes by is in hand at a time: all of it would need more registers than
 * there are. */
enum { PART = MMA_TILE / 2, N = PART / 8 };

/* s[j] = this warp's rows of `own` times rows 8 j .. 8 j + 7 of `other`. */
template <int D>
static __device__ __forceinline__ void products(float s[N][4], const bf16 *own, const bf16 *other)
{
#pragma unroll
    for (int j = 0; j < N; j++)
        for (int e = 0; e < 4; e++)
            s[j][e] = 0;
#pragma unroll
    for (int i = 0; i < D / 16; i++) {
        uint32_t left[4], right[4];
        load_left<D>(left, own, i);
#pragma unroll
        for (int j = 0; j < N; j += 2) {
            load_right<D>(right, other, i, j);
            mma_bf16(s[j], left, right);
            mma_bf16(s[j + 1], left, right + 2);
        }
    }
}

/* Of a query: its log sum exp, delta, and how many keys it sees. */
struct query {
    float lse, delta;
    int keys;
};

template <class T>
static __device__ __forceinline__ struct query query_at(const struct attention<T> &a, int b, int h,
                                                        int i)
{
    if (i >= a.tq)
        return {0, 0, 0};
    const size_t row = (size_t)b * a.tq + i;
    return {a.lse[row * a.lse_ld + h], a.delta[row * a.heads + h], keys_seen(a, b, i)};
}

template <class T>
static __device__ __forceinline__ void load_queries(const struct attention<T> &a, int b, int h,
                                                    int first, struct query *to)
{
    if (threadIdx.x < MMA_TILE)
        to[threadIdx.x] = query_at(a, b, h, first + threadIdx.x);
}

/* From the score and dp of query i and key j: the kept probability into s, the gradient of the
 * score before scaling into dp. */
template <class T>
static __device__ __forceinline__ void weigh(const struct attention<T> &a, struct draw draw,
                                             uint64_t first, struct query q, int j, float *s,
                                             float *dp)
{
    const float p = j < q.keys ? expf(a.scale * *s - q.lse) : 0;
    const float factor = draw.p > 0 && j < q.keys ? keep(draw, first + j) : draw.scale;
    *dp = p * (factor * *dp - q.delta);
    *s = p * factor;
}

/* This warp's rows of [rows, D] (+)= factor * acc. */
template <int D, class T>
static __device__ __forceinline__ void put(T *to, int ld, bool fresh, int first, int rows,
                                           float factor, const float acc[D / 8][4])
{
    const int lane = threadIdx.x % WARP;
    for (int half = 0; half < 2; half++) {
        const int r = first + threadIdx.x / WARP * 16 + lane / 4 + 8 * half;
        if (r >= rows)
            continue;
        T *row = to + (size_t)r * ld + lane % 4 * 2;
#pragma unroll
        for (int j = 0; j < D / 8; j++) {
            floats<2> x = load_old<2>(row + j * 8, fresh);
            x.v[0] += factor * acc[j][2 * half];
            x.v[1] += factor * acc[j][2 * half + 1];
            store<2>(row + j * 8, x);
        }
    }
}

/* Where the block's head of its sequence starts. */
template <class T> struct here {
    int b, h, first;            /* first own row */
    const T *q, *k, *v, *dy;
};

template <int D, class T>
static __device__ __forceinline__ struct here<T> find(const struct attention<T> &a, int tiles)
{
    const int b = blockIdx.x / tiles / a.heads, h = blockIdx.x / tiles % a.heads;
    const size_t rows = (size_t)b * a.tq, keys = (size_t)b * a.tk, col = (size_t)h * D;
    return {b, h, (int)(blockIdx.x % tiles) * MMA_TILE, a.q + rows * a.q_ld + col,
            a.k + keys * a.k_ld + col, a.v + keys * a.v_ld + col, a.dy + rows * a.y_ld + col};
}

/* One past the last key that any query of the tile from `first` sees. */
template <class T>
static __device__ __forceinline__ int last_key(const struct attention<T> &a, int b, int first)
{
    return keys_seen(a, b, min(first + MMA_TILE, a.tq) - 1);
}

/* dq (+)= scale ds k: the block owns queries. */
template <int D, class T>
__global__ void __launch_bounds__(MMA_BLOCK, 2) attention_mma_dq(struct attention<T> a, int tiles)
{
    DYN_SHARED(bf16, sq);
    bf16 *sdy = sq + MMA_TILE * (D + 8), *sk = sdy + MMA_TILE * (D + 8);
    bf16 *sv = sk + MMA_TILE * (D + 8);
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const struct here<T> at = find<D>(a, tiles);
    const int row = at.first + warp * 16 + lane / 4, end = last_key(a, at.b, at.first);
    const struct draw draw = read_draw(a.draw, a.site, a.p);
    const struct query mine[2] = {query_at(a, at.b, at.h, row), query_at(a, at.b, at.h, row + 8)};
    float acc[D / 8][4] = {}, s[N][4], dp[N][4];
    uint32_t packed[N / 2][4];

    load_tile<D>(sq, at.q, a.q_ld, at.first, a.tq);
    load_tile<D>(sdy, at.dy, a.y_ld, at.first, a.tq);
    for (int j0 = 0; j0 < end; j0 += MMA_TILE) {
        load_tile<D>(sk, at.k, a.k_ld, j0, a.tk);
        load_tile<D>(sv, at.v, a.v_ld, j0, a.tk);
        __syncthreads();
#pragma unroll 1
        for (int part = 0; part < MMA_TILE; part += PART) {
            products<D>(s, sq, sk + part * (D + 8));
            products<D>(dp, sdy, sv + part * (D + 8));
#pragma unroll
            for (int e = 0; e < 4 * N; e++) {
                const int half = e / 2 % 2, j = j0 + part + e / 4 * 8 + lane % 4 * 2 + e % 2;
                weigh(a, draw, first_element(a, at.b, at.h, row + 8 * half), mine[half], j,
                      &s[e / 4][e % 4], &dp[e / 4][e % 4]);
            }
            pack_row<N>(packed, dp, 0);
            pack_row<N>(packed, dp, 1);
            mix<D, N>(acc, packed, sk + part * (D + 8));
        }
        __syncthreads();
    }
    put<D>(a.dq + (at.q - a.q), a.q_ld, a.dq_fresh, at.first, a.tq, a.scale, acc);
}

/* dk (+)= scale ds q and dv (+)= share dy: the block owns keys. */
template <int D, class T>
__global__ void __launch_bounds__(MMA_BLOCK, 2) attention_mma_dkv(struct attention<T> a, int tiles)
{
    DYN_SHARED(bf16, sk);
    bf16 *sv = sk + MMA_TILE * (D + 8), *sq = sv + MMA_TILE * (D + 8);
    bf16 *sdy = sq + MMA_TILE * (D + 8);
    __shared__ struct query queries[MMA_TILE];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const struct here<T> at = find<D>(a, tiles);
    const int row = at.first + warp * 16 + lane / 4;
    const struct draw draw = read_draw(a.draw, a.site, a.p);
    float acc_k[D / 8][4] = {}, acc_v[D / 8][4] = {}, s[N][4], dp[N][4];
    uint32_t packed[N / 2][4];

    load_tile<D>(sk, at.k, a.k_ld, at.first, a.tk);
    load_tile<D>(sv, at.v, a.v_ld, at.first, a.tk);
    for (int i0 = 0; i0 < a.tq; i0 += MMA_TILE) {
        if (last_key(a, at.b, i0) <= at.first)
            continue;                   /* none of these queries sees any of these keys */
        load_tile<D>(sq, at.q, a.q_ld, i0, a.tq);
        load_tile<D>(sdy, at.dy, a.y_ld, i0, a.tq);
        load_queries(a, at.b, at.h, i0, queries);
        __syncthreads();
#pragma unroll 1
        for (int part = 0; part < MMA_TILE; part += PART) {
            products<D>(s, sk, sq + part * (D + 8));
            products<D>(dp, sv, sdy + part * (D + 8));
#pragma unroll
            for (int e = 0; e < 4 * N; e++) {
                const int i = part + e / 4 * 8 + lane % 4 * 2 + e % 2;
                weigh(a, draw, first_element(a, at.b, at.h, i0 + i), queries[i],
                      row + e / 2 % 2 * 8, &s[e / 4][e % 4], &dp[e / 4][e % 4]);
            }
            pack_row<N>(packed, s, 0);
            pack_row<N>(packed, s, 1);
            mix<D, N>(acc_v, packed, sdy + part * (D + 8));
            pack_row<N>(packed, dp, 0);
            pack_row<N>(packed, dp, 1);
            mix<D, N>(acc_k, packed, sq + part * (D + 8));
        }
        __syncthreads();
    }
    if (a.dk)
        put<D>(a.dk + (at.k - a.k), a.k_ld, a.dk_fresh, at.first, a.tk, a.scale, acc_k);
    if (a.dv)
        put<D>(a.dv + (at.v - a.v), a.v_ld, a.dv_fresh, at.first, a.tk, 1, acc_v);
}

template <class T>
static void launch_over(void (*kernel)(struct attention<T>, int), const struct attention<T> *a,
                        int rows, int bytes)
{
    const int tiles = (int)blocks_for(rows, MMA_TILE);
    CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
    LAUNCH(kernel, (unsigned)(a->batch * a->heads * tiles), MMA_BLOCK, bytes, *a, tiles);
}

template <int D, class T> static void backward(const struct attention<T> *a)
{
    if (a->dq)
        launch_over(attention_mma_dq<D, T>, a, a->tq, 4 * tile_bytes<D>());
    if (a->dk || a->dv)
        launch_over(attention_mma_dkv<D, T>, a, a->tk, 4 * tile_bytes<D>());
}

template <class T> void attention_mma_backward(const struct attention<T> *a)
{
    switch (a->d) {
    case 32: backward<32>(a); break;
    case 64: backward<64>(a); break;
    case 80: backward<80>(a); break;
    default: backward<128>(a); break;
    }
}

template void attention_mma_backward(const struct attention<float> *);
template void attention_mma_backward(const struct attention<bf16> *);
