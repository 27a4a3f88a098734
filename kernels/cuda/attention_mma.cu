/* attention_mma.cu - attention forward in bf16 on tensor cores (Dao 2023): 4 warps own 16 queries
 * each, keys come by in tiles of 64. */
#include "kernels/cuda/attention_mma.cuh"

template <class T> static bool in_fours(const T *p, int ld)
{
    return (uintptr_t)p % (4 * sizeof *p) == 0 && ld % 4 == 0;
}

template <class T> bool attention_mma_fits(const struct attention<T> *a)
{
    return a->narrow && (a->d == 32 || a->d == 64 || a->d == 80 || a->d == 128)
        && in_fours(a->q, a->q_ld) && in_fours(a->k, a->k_ld) && in_fours(a->v, a->v_ld)
        && in_fours(a->y, a->y_ld);
}

/* s[j] = this warp's 16 queries times keys 8 j .. 8 j + 7 of the tile. */
template <int D>
static __device__ __forceinline__ void scores(float s[8][4], const uint32_t q[D / 16][4],
                                              const bf16 *k)
{
#pragma unroll
    for (int j = 0; j < 8; j += 2) {
        for (int e = 0; e < 4; e++)
            s[j][e] = s[j + 1][e] = 0;
#pragma unroll
        for (int i = 0; i < D / 16; i++) {
            uint32_t f[4];
            load_right<D>(f, k, i, j);
            mma_bf16(s[j], q[i], f);
            mma_bf16(s[j + 1], q[i], f + 2);
        }
    }
}

/* The running softmax of the two rows that a lane shares with three others. */
struct running {
    float max[2], sum[2];
};

/* Scores become probabilities, dropped and packed; acc and the sums follow the new maximum. */
template <int D, class T>
static __device__ __forceinline__ void soften(const struct attention<T> &a, struct draw draw, int b,
                                              int h, int row, int key, float s[8][4],
                                              struct running *run, float acc[D / 8][4],
                                              uint32_t packed[4][4])
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int i = row + 8 * half, seen = i < a.tq ? keys_seen(a, b, i) : 0;
        float top = run->max[half], sum = 0;
#pragma unroll
        for (int e = 0; e < 16; e++) {
            float *x = &s[e / 2][2 * half + e % 2];
            *x = key + e / 2 * 8 + e % 2 < seen ? a.scale * *x : -INFINITY;
            top = fmaxf(top, *x);
        }
        top = fmaxf(top, __shfl_xor_sync(FULL, top, 1));
        top = fmaxf(top, __shfl_xor_sync(FULL, top, 2));
        const float old = top == -INFINITY ? 1 : expf(run->max[half] - top);
        const uint64_t first = first_element(a, b, h, i) + key;
#pragma unroll
        for (int e = 0; e < 16; e++) {
            float *x = &s[e / 2][2 * half + e % 2];
            *x = *x == -INFINITY ? 0 : expf(*x - top);
            sum += *x;
            if (draw.p > 0)
                *x *= keep(draw, first + e / 2 * 8 + e % 2);
        }
        run->sum[half] = run->sum[half] * old + sum;
        run->max[half] = top;
#pragma unroll
        for (int j = 0; j < D / 8; j++) {
            acc[j][2 * half] *= old;
            acc[j][2 * half + 1] *= old;
        }
        pack_row<8>(packed, s, half);
    }
}

/* y = acc / sum and lse for the rows of this lane. */
template <int D, class T>
static __device__ __forceinline__ void finish_rows(const struct attention<T> &a, int b, int h,
                                                   int row, const struct running &run,
                                                   const float acc[D / 8][4])
{
    const int lane = threadIdx.x % WARP;
    for (int half = 0; half < 2; half++) {
        float sum = run.sum[half];
        sum += __shfl_xor_sync(FULL, sum, 1);
        sum += __shfl_xor_sync(FULL, sum, 2);
        if (row + 8 * half >= a.tq)
            continue;
        const size_t r = (size_t)b * a.tq + row + 8 * half;
        const float share = sum > 0 ? 1 / sum : 0;
        T *y = a.y + r * a.y_ld + h * D + lane % 4 * 2;
#pragma unroll
        for (int j = 0; j < D / 8; j++)
            store<2>(y + j * 8, {acc[j][2 * half] * share, acc[j][2 * half + 1] * share});
        if (lane % 4 == 0)
            a.lse[r * a.lse_ld + h] = run.max[half] + logf(sum);
    }
}

template <int D, class T>
__global__ void __launch_bounds__(MMA_BLOCK) attention_mma_rows(struct attention<T> a, int tiles)
{
    DYN_SHARED(bf16, sq);
    bf16 *sk = sq + MMA_TILE * (D + 8), *sv = sk + MMA_TILE * (D + 8);
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int b = blockIdx.x / tiles / a.heads, h = blockIdx.x / tiles % a.heads;
    const int first = blockIdx.x % tiles * MMA_TILE, row = first + warp * 16 + lane / 4;
    const int end = keys_seen(a, b, min(first + MMA_TILE, a.tq) - 1);
    const size_t keys = (size_t)b * a.tk, col = (size_t)h * D;
    const struct draw draw = read_draw(a.draw, a.site, a.p);
    struct running run = {{-INFINITY, -INFINITY}, {0, 0}};
    float acc[D / 8][4] = {}, s[8][4];
    uint32_t q[D / 16][4], p[4][4];

    load_tile<D>(sq, a.q + (size_t)b * a.tq * a.q_ld + col, a.q_ld, first, a.tq);
    __syncthreads();
#pragma unroll
    for (int i = 0; i < D / 16; i++)
        load_left<D>(q[i], sq, i);
    for (int j0 = 0; j0 < end; j0 += MMA_TILE) {
        load_tile<D>(sk, a.k + keys * a.k_ld + col, a.k_ld, j0, a.tk);
        load_tile<D>(sv, a.v + keys * a.v_ld + col, a.v_ld, j0, a.tk);
        __syncthreads();
        scores<D>(s, q, sk);
        soften<D>(a, draw, b, h, row, j0 + lane % 4 * 2, s, &run, acc, p);
        mix<D, 8>(acc, p, sv);
        __syncthreads();
    }
    finish_rows<D>(a, b, h, row, run, acc);
}

template <int D, class T> static void forward(const struct attention<T> *a)
{
    const int tiles = (int)blocks_for(a->tq, MMA_TILE);
    const int bytes = 3 * tile_bytes<D>();
    const auto kernel = attention_mma_rows<D, T>;
    CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
    LAUNCH(kernel, (unsigned)(a->batch * a->heads * tiles), MMA_BLOCK, bytes, *a, tiles);
}

template <class T> void attention_mma_forward(const struct attention<T> *a)
{
    switch (a->d) {
    case 32: forward<32>(a); break;
    case 64: forward<64>(a); break;
    case 80: forward<80>(a); break;
    default: forward<128>(a); break;
    }
}

#define INSTANTIATE(T)                                                  \
    template bool attention_mma_fits(const struct attention<T> *);      \
    template void attention_mma_forward(const struct attention<T> *);
INSTANTIATE(float)
INSTANTIATE(bf16)
