/* peak.c - what the machine can do at most, measured: products of vectors or tiles that stay in
 * registers, and reading memory that no cache holds. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/tile.h"
#include "kernels/memory.h"
#include <omp.h>

enum { CHAINS = 12, ROUNDS = 1 << 20, TRIES = 7 };  /* sums at once hide each other's delay */
enum { STREAM = 1 << 26 };                          /* floats; 256 MiB */

/* Whether to measure once more: two threads may share a processor for the first tens of
 * milliseconds, so the tries go on for 0.3 s. */
static int again(int tries, double start) { return tries < TRIES || omp_get_wtime() - start < 0.3; }

/* Sums that nobody reads, kept from being left out. */
static volatile float sink;

INLINE void vector_chains(const int pair, int rounds)
{
    const float a = sink;
    const vec b = splat(sink);
    vec sum[CHAINS];
    for (int c = 0; c < CHAINS; c++)
        sum[c] = splat(0);
    for (int i = 0; i < rounds; i++)
        UNROLL
        for (int c = 0; c < CHAINS; c++)
            sum[c] = multiply_add(pair, sum[c], a, b);
    for (int c = 1; c < CHAINS; c++)
        sum[0] += sum[c];
    sink = sum[0][0];
}

#ifdef __AMX_BF16__
static void tile_chains(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}
#else
static void tile_chains(int rounds) { (void)rounds; }
#endif

/* Floating-point operations of one thread. */
static double work(enum precision p)
{
    const int rounds = is_tile(p) ? ROUNDS / 32 : ROUNDS;
    start_tiles(p);
    if (is_tile(p)) {
        tile_chains(rounds);
        return 4.0 * 16 * 16 * 32 * 2 * rounds;
    }
    if (is_pair(p)) {
        vector_chains(1, rounds);
        return 4.0 * LANES * CHAINS * rounds;
    }
    vector_chains(0, rounds);
    return 2.0 * LANES * CHAINS * rounds;
}

double KERNEL(peak)(enum precision p)
{
    const double start = omp_get_wtime();
    double best = 0;
    for (int t = 0; again(t, start); t++) {
        double done = 0;
        const double begin = omp_get_wtime();
        #pragma omp parallel reduction(+:done)
        done += work(p);
        const double rate = done / (omp_get_wtime() - begin);
        best = rate > best ? rate : best;
    }
    return best;
}

static float read_all(const float *x, ptrdiff_t n)
{
    vec sum[8] = {{0}};
    for (ptrdiff_t i = 0; i < n; i += 8 * LANES)
        UNROLL
        for (int c = 0; c < 8; c++) {
            __builtin_prefetch(x + i + c * LANES + 2048);
            sum[c] += load(x + i + c * LANES);
        }
    for (int c = 1; c < 8; c++)
        sum[0] += sum[c];
    return sum_of(sum[0]);
}

double KERNEL(bandwidth)(void)
{
    float *x = memory_alloc(STREAM);
    double best = 0;
    KERNEL(zero)(x, STREAM);
    const double start = omp_get_wtime();
    for (int t = 0; again(t, start); t++) {
        const double begin = omp_get_wtime();
        #pragma omp parallel for
        for (int i = 0; i < STREAM >> 16; i++)
            sink = read_all(x + ((ptrdiff_t)i << 16), 1 << 16);
        const double rate = sizeof *x * (double)STREAM / (omp_get_wtime() - begin);
        best = rate > best ? rate : best;
    }
    memory_release(x);
    return best;
}
