/* attention_mma.cu - attention forward in bf16 on tensor cores (Dao 2023): 4 warps own 16 queries
 * each, keys come by in tiles of 64.  Rows of f32 become bf16 on their way into shared memory,
 * where they stand 16 bytes further apart than they are long, so that ldmatrix meets no bank
 * twice.  D is the columns of a head. */
#include "kernels/cuda/attention.cuh"
#include "kernels/cuda/ptx.cuh"

enum { MMA_WARPS = 4, MMA_BLOCK = MMA_WARPS * WARP, MMA_TILE = 64 };

static bool in_fours(const float *p, int ld)
{
    return (uintptr_t)p % 16 == 0 && ld % 4 == 0;
}

bool attention_mma_fits(const struct attention *a)
{
    return a->bf16 && (a->d == 32 || a->d == 64 || a->d == 80 || a->d == 128)
        && in_fours(a->q, a->q_ld) && in_fours(a->k, a->k_ld) && in_fours(a->v, a->v_ld);
}

/* Rows first .. first + 63 of [rows, D] into shared memory as bf16, 0 past the end. */
template <int D>
static __device__ __forceinline__ void load_tile(__nv_bfloat16 *to, const float *from, int ld,
                                                 int first, int rows)
{
    for (int e = threadIdx.x; e < MMA_TILE * D / 4; e += MMA_BLOCK) {
        const int r = e / (D / 4), c = e % (D / 4) * 4;
        floats<4> x = {};
        if (first + r < rows)
            x = load<4>(from + (size_t)(first + r) * ld + c);
        const uint2 packed = {pack_bf16(x.v[0], x.v[1]), pack_bf16(x.v[2], x.v[3])};
        *reinterpret_cast<uint2 *>(to + r * (D + 8) + c) = packed;
    }
}

/* s[j] = this warp's 16 queries times keys 8 j .. 8 j + 7 of the tile. */
template <int D>
static __device__ __forceinline__ void scores(float s[8][4], const uint32_t q[D / 16][4],
                                              const __nv_bfloat16 *k)
{
    const int lane = threadIdx.x % WARP;
#pragma unroll
    for (int j = 0; j < 8; j += 2) {
        for (int e = 0; e < 4; e++)
            s[j][e] = s[j + 1][e] = 0;
#pragma unroll
        for (int i = 0; i < D / 16; i++) {
            uint32_t f[4];      /* columns 16 i .. + 15 of keys 8 j .. + 7, then of the next 8 */
            ldmatrix_x4<false>(f, k + (j * 8 + lane % 8 + lane / 16 * 8) * (D + 8) + i * 16
                                    + lane / 8 % 2 * 8);
            mma_bf16(s[j], q[i], f);
            mma_bf16(s[j + 1], q[i], f + 2);
        }
    }
}

/* acc += p v, p the packed probabilities of 64 keys. */
template <int D>
static __device__ __forceinline__ void mix(float acc[D / 8][4], const uint32_t p[4][4],
                                           const __nv_bfloat16 *v)
{
    const int lane = threadIdx.x % WARP;
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < D / 16; j++) {
            uint32_t f[4];
            ldmatrix_x4<true>(f, v + (i * 16 + lane % 16) * (D + 8) + j * 16 + lane / 16 * 8);
            mma_bf16(acc[2 * j], p[i], f);
            mma_bf16(acc[2 * j + 1], p[i], f + 2);
        }
}

/* The running softmax of the two rows that a lane shares with three others. */
struct running {
    float max[2], sum[2];
};

/* Scores become probabilities, dropped and packed; acc and the sums follow the new maximum. */
template <int D>
static __device__ __forceinline__ void soften(const struct attention &a, struct draw draw, int b,
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
#pragma unroll
        for (int i2 = 0; i2 < 4; i2++) {
            packed[i2][half] = pack_bf16(s[2 * i2][2 * half], s[2 * i2][2 * half + 1]);
            packed[i2][half + 2] = pack_bf16(s[2 * i2 + 1][2 * half], s[2 * i2 + 1][2 * half + 1]);
        }
    }
}

/* y = acc / sum and lse for the rows of this lane. */
template <int D>
static __device__ __forceinline__ void finish_rows(const struct attention &a, int b, int h,
                                                   int row, const struct running &run,
                                                   const float acc[D / 8][4], float *out,
                                                   float *lse)
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
        float *y = out + r * a.y_ld + h * D + lane % 4 * 2;
#pragma unroll
        for (int j = 0; j < D / 8; j++) {
            y[j * 8] = acc[j][2 * half] * share;
            y[j * 8 + 1] = acc[j][2 * half + 1] * share;
        }
        if (lane % 4 == 0)
            lse[r * a.lse_ld + h] = run.max[half] + logf(sum);
    }
}

template <int D>
__global__ void __launch_bounds__(MMA_BLOCK) attention_mma_rows(struct attention a, int tiles,
                                                                float *out, float *lse)
{
    DYN_SHARED(__nv_bfloat16, sq);
    __nv_bfloat16 *sk = sq + MMA_TILE * (D + 8), *sv = sk + MMA_TILE * (D + 8);
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
        ldmatrix_x4<false>(q[i], sq + (warp * 16 + lane % 16) * (D + 8) + i * 16 + lane / 16 * 8);
    for (int j0 = 0; j0 < end; j0 += MMA_TILE) {
        load_tile<D>(sk, a.k + keys * a.k_ld + col, a.k_ld, j0, a.tk);
        load_tile<D>(sv, a.v + keys * a.v_ld + col, a.v_ld, j0, a.tk);
        __syncthreads();
        scores<D>(s, q, sk);
        soften<D>(a, draw, b, h, row, j0 + lane % 4 * 2, s, &run, acc, p);
        mix<D>(acc, p, sv);
        __syncthreads();
    }
    finish_rows<D>(a, b, h, row, run, acc, out, lse);
}

template <int D> static void forward(const struct attention *a)
{
    const int tiles = (int)blocks_for(a->tq, MMA_TILE);
    const int bytes = 3 * MMA_TILE * (D + 8) * (int)sizeof(__nv_bfloat16);
    CUDA(cudaFuncSetAttribute(attention_mma_rows<D>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                              bytes));
    LAUNCH(attention_mma_rows<D>, (unsigned)(a->batch * a->heads * tiles), MMA_BLOCK, bytes, *a,
           tiles, const_cast<float *>(a->y), const_cast<float *>(a->lse));
}

void attention_mma_forward(const struct attention *a)
{
    switch (a->d) {
    case 32: forward<32>(a); break;
    case 64: forward<64>(a); break;
    case 80: forward<80>(a); break;
    default: forward<128>(a); break;
    }
}
