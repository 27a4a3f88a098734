/* ptx.cuh - the only place with inline PTX.  Each wrapper has two bodies: asm for nvcc, and C++ for
 * the CPU, where the last lane of the warp to arrive does the work of all. */
#pragma once
#include "kernels/cuda/cuda.cuh"
#include <cuda_bf16.h>

/* d = a b + c for a [16, 16] by rows, b [16, 8] by columns; which lane holds what is drawn in the
 * PTX ISA under mma.m16n8k16. */
static __device__ __forceinline__ void mma_bf16(float d[4], const uint32_t a[4],
                                                const uint32_t b[2])
{
#ifdef __CUDACC__
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    struct fragments {
        float *d;
        const uint32_t *a, *b;
    } mine = {d, a, b};
    emu_warp_call(FULL, [](void *of[32], unsigned) {
        const auto half = [](uint32_t r, int high) {
            return __uint_as_float(high ? r & 0xffff0000u : r << 16);
        };
        float A[16][16], B[16][8], D[16][8];
        for (int l = 0; l < 32; l++) {
            const fragments *f = (const fragments *)of[l];
            const int row = l / 4, col = l % 4 * 2;
            for (int i = 0; i < 8; i++)
                A[row + 8 * (i / 2 % 2)][col + i % 2 + 8 * (i / 4)] = half(f->a[i / 2], i & 1);
            for (int i = 0; i < 4; i++) {
                B[col + i % 2 + 8 * (i / 2)][row] = half(f->b[i / 2], i & 1);
                D[row + 8 * (i / 2)][col + i % 2] = f->d[i];
            }
        }
        for (int i = 0; i < 16; i++)
            for (int k = 0; k < 16; k++)
                for (int j = 0; j < 8; j++)
                    D[i][j] += A[i][k] * B[k][j];
        for (int l = 0; l < 32; l++)
            for (int i = 0; i < 4; i++)
                ((const fragments *)of[l])->d[i] = D[l / 4 + 8 * (i / 2)][l % 4 * 2 + i % 2];
    }, &mine, {__FILE__, __LINE__});
#endif
}

/* Four 8 x 8 matrices of 16-bit values; lane l gives the address of row l % 8 of matrix l / 8. */
template <bool TURNED>
static __device__ __forceinline__ void ldmatrix_x4(uint32_t r[4], const void *row)
{
#ifdef __CUDACC__
    const uint32_t at = (uint32_t)__cvta_generic_to_shared(row);
    if (TURNED)
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
    else
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
#else
    struct request {
        uint32_t *r;
        const uint16_t *row;
    } mine = {r, (const uint16_t *)row};
    emu_note_access(row, 16, false, false, EMU_PC);
    emu_warp_call(FULL, [](void *of[32], unsigned) {
        for (int m = 0; m < 4; m++)
            for (int l = 0; l < 32; l++) {
                const auto at = [&](int i, int j) {
                    return (uint32_t)((const request *)of[m * 8 + i])->row[j];
                };
                const int i = l / 4, j = l % 4 * 2;
                ((const request *)of[l])->r[m] = TURNED ? at(j, i) | at(j + 1, i) << 16
                                                        : at(i, j) | at(i, j + 1) << 16;
            }
    }, &mine, {__FILE__, __LINE__});
#endif
}

/* Two f32 as bf16 in one register, the first one low. */
static __device__ __forceinline__ uint32_t pack_bf16(float low, float high)
{
    const __nv_bfloat162 both = __floats2bfloat162_rn(low, high);
    uint32_t r;
    memcpy(&r, &both, sizeof r);
    return r;
}
