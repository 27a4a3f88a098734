/* attention_mma.cuh - what attention on tensor cores shares: tiles of 64 rows of D columns, the
 * columns of a head, in shared memory as bf16, and products of them.  A warp has 16 rows.  Rows
 * stand 16 bytes further apart than they are long, so that ldmatrix meets no bank twice. */
#pragma once
#include "kernels/cuda/attention.cuh"
#include "kernels/cuda/ptx.cuh"

enum { MMA_WARPS = 4, MMA_BLOCK = MMA_WARPS * WARP, MMA_TILE = 64 };

/* Bytes of a tile. */
template <int D> constexpr int tile_bytes()
{
    return MMA_TILE * (D + 8) * (int)sizeof(bf16);
}

/* Rows first .. first + 63 of [rows, D] into shared memory as bf16, 0 past the end. */
template <int D, class T>
static __device__ __forceinline__ void load_tile(bf16 *to, const T *from, int ld,
                                                 int first, int rows)
{
    for (int e = threadIdx.x; e < MMA_TILE * D / 4; e += MMA_BLOCK) {
        const int r = e / (D / 4), c = e % (D / 4) * 4;
        floats<4> x = {};
        if (first + r < rows)
            x = load<4>(from + (size_t)(first + r) * ld + c);
        store<4>(to + r * (D + 8) + c, x);
    }
}

/* Columns 16 i .. + 15 of this warp's rows of a tile, as the left side of a product. */
template <int D>
static __device__ __forceinline__ void load_left(uint32_t f[4], const bf16 *tile, int i)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    ldmatrix_x4<false>(f, tile + (warp * 16 + lane % 16) * (D + 8) + i * 16 + lane / 16 * 8);
}

/* The same of rows 8 j .. 8 j + 7, then of the next 8, as the right side. */
template <int D>
static __device__ __forceinline__ void load_right(uint32_t f[4], const bf16 *tile, int i, int j)
{
    const int lane = threadIdx.x % WARP;
    ldmatrix_x4<false>(f, tile + (j * 8 + lane % 8 + lane / 16 * 8) * (D + 8) + i * 16
                            + lane / 8 % 2 * 8);
}

/* acc += p v, p packed: a column for each of the 8 N rows of v. */
template <int D, int N>
static __device__ __forceinline__ void mix(float acc[D / 8][4], const uint32_t p[N / 2][4],
                                           const bf16 *v)
{
    const int lane = threadIdx.x % WARP;
#pragma unroll
    for (int i = 0; i < N / 2; i++)
#pragma unroll
        for (int j = 0; j < D / 16; j++) {
            uint32_t f[4];
            ldmatrix_x4<true>(f, v + (i * 16 + lane % 16) * (D + 8) + j * 16 + lane / 16 * 8);
            mma_bf16(acc[2 * j], p[i], f);
            mma_bf16(acc[2 * j + 1], p[i], f + 2);
        }
}

/* Row `half` of the two that a lane has in s, packed for mix(). */
template <int N>
static __device__ __forceinline__ void pack_row(uint32_t packed[N / 2][4], const float s[N][4],
                                                int half)
{
#pragma unroll
    for (int i = 0; i < N / 2; i++) {
        packed[i][half] = pack_bf16(s[2 * i][2 * half], s[2 * i][2 * half + 1]);
        packed[i][half + 2] = pack_bf16(s[2 * i + 1][2 * half], s[2 * i + 1][2 * half + 1]);
    }
}
