/* reduce.cu - sums over sequences (kernels/reduce.h): a warp to a row, then a block to a sequence;
 * no atomics, so every run gives the same bits. */
#include "kernels/cuda/cuda.cuh"

/* Rows of a block: where all read a gain, it comes from memory once for so many. */
enum { FEW_ROWS = WARPS, MANY_ROWS = 4 * WARPS };

static __device__ __forceinline__ double warp_larger(double x)
{
    for (int m = WARP / 2; m; m /= 2)
        x = larger(x, __shfl_xor_sync(FULL, x, m));
    return x;
}

/* The doubles of a result. */
template <class R> constexpr int doubles = sizeof(R) / sizeof(double);

/* of[r] = f(r, lane), which all lanes of a warp work out together; each stores one double. */
template <class F> __global__ void row_results(int n, F f, typename F::result *of)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    for (size_t r = (size_t)blockIdx.x * WARPS + warp; r < n; r += (size_t)gridDim.x * WARPS) {
        const typename F::result all = f(r, lane);
        const double *each = (const double *)&all;
        double mine = 0;
#pragma unroll
        for (int k = 0; k < doubles<typename F::result>; k++)
            mine = lane == k ? each[k] : mine;
        if (lane < doubles<typename F::result>)
            ((double *)(of + r))[lane] = mine;
    }
}

/* to[w] = the K doubles of its rows, added, of the last MOST the largest. */
template <int K, int MOST>
__global__ void sequence_results(int time, const double *of, double *to)
{
    __shared__ double part[WARPS][K];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    double all[K] = {};
    of += (size_t)blockIdx.x * time * K;
    for (int r = threadIdx.x; r < time; r += BLOCK)
        for (int k = 0; k < K; k++)
            all[k] = k < K - MOST ? all[k] + of[r * K + k] : larger(all[k], of[r * K + k]);
    for (int k = 0; k < K; k++) {
        all[k] = k < K - MOST ? warp_sum(all[k]) : warp_larger(all[k]);
        if (lane == 0)
            part[warp][k] = all[k];
    }
    __syncthreads();
    const int k = threadIdx.x;
    if (k >= K)
        return;
    double x = part[0][k];
    for (int w = 1; w < WARPS; w++)
        x = k < K - MOST ? x + part[w][k] : larger(x, part[w][k]);
    to[(size_t)blockIdx.x * K + k] = x;
}

/* MOST: how many of a result's doubles are the largest of rows; ROWS of a block. */
template <int MOST, int ROWS, class F>
static typename F::result *reduce(struct sequences w, F f, typename F::result *to)
{
    using R = typename F::result;
    const int n = w.n * w.time;
    R *of = (R *)cuda_scratch(SCRATCH_SUMS, sizeof(R) * n);
    LAUNCH(row_results<F>, blocks_for(n, ROWS), BLOCK, 0, n, f, of);
    LAUNCH((sequence_results<doubles<R>, MOST>), w.n, BLOCK, 0, w.time, (const double *)of,
           (double *)to);
    return of;
}

/* The sum of squares of a row's deviations. */
template <class X>
static __device__ __forceinline__ double deviations(const X *x, int c, double mean, int lane)
{
    double sum = 0;
    for (int i = lane; i < c; i += WARP) {
        const double off = (double)float(x[i]) - mean;
        sum += off * off;
    }
    return warp_sum(sum);
}

template <class X, class W> struct sums_of_row {
    typedef struct sums result;
    const X *x;
    const W *with;
    int c, x_ld, with_ld;

    __device__ __forceinline__ struct sums operator()(size_t r, int lane) const
    {
        const X *row = x + r * x_ld;
        struct sums s = {};
        for (int i = lane; i < c; i += WARP) {
            const double v = float(row[i]);
            s.plain += v;
            s.absolute += fabs(v);
            s.squares += v * v;
            if (with)
                s.product += v * float(with[r * with_ld + i]);
            s.largest = larger(s.largest, fabs(v));
        }
        s.plain = warp_sum(s.plain);
        s.absolute = warp_sum(s.absolute);
        s.squares = warp_sum(s.squares);
        s.product = warp_sum(s.product);
        s.row_deviations = deviations(row, c, s.plain / c, lane);
        s.largest = warp_larger(s.largest);
        return s;
    }
};

/* Those from the mean of all are those within rows and those of the rows' own means. */
__global__ void sequence_deviations(int time, int c, const struct sums *of, struct sums *to)
{
    of += (size_t)blockIdx.x * time;
    to += blockIdx.x;
    const double mean = to->plain / ((double)time * c);
    double sum = 0;
    for (int r = threadIdx.x; r < time; r += BLOCK) {
        const double off = of[r].plain / c - mean;
        sum += of[r].row_deviations + c * off * off;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        to->deviations = sum;
}

/* Row r of all sequences. */
template <class X> struct welford_of_row {
    typedef struct welford result;
    const X *x;
    double *means;
    int c, x_ld, sequences, time;
    long long n;

    __device__ __forceinline__ struct welford operator()(size_t r, int lane) const
    {
        double added = 0, squares = 0;
        for (int i = lane; i < c; i += WARP) {
            double mean = means[r * c + i];
            for (int k = 0; k < sequences; k++) {
                const double v = float(x[((size_t)k * time + r) * x_ld + i]), off = v - mean;
                mean += off * (1 / (double)(n + k + 1));
                added += off * (v - mean);
            }
            means[r * c + i] = mean;
            squares += mean * mean;
        }
        return {warp_sum(added), warp_sum(squares)};
    }
};

template <class X, class Y> struct ellipsoid_of_row {
    typedef struct ellipsoid result;
    const X *x;
    const Y *y;
    const float *gain, *bias;
    int c, x_ld, y_ld, center;
    double eps;

    __device__ __forceinline__ double variance(const X *row, int lane) const
    {
        double sum = 0;
        for (int i = lane; i < c && center; i += WARP)
            sum += float(row[i]);
        return deviations(row, c, warp_sum(sum) / c, lane) / c;
    }

    __device__ __forceinline__ struct ellipsoid operator()(size_t r, int lane) const
    {
        const double v = variance(x + r * x_ld, lane), lemma = v / (v + eps);
        double squares = 0, sum = 0;
        for (int i = lane; i < c; i += WARP) {
            const double above = (double)float(y[r * y_ld + i]) - (bias ? bias[i] : 0);
            const double h = above / (gain ? gain[i] : 1);
            squares += h * h;
            sum += h;
        }
        const double q = warp_sum(squares) / c;
        return {q, lemma, fabs(q - lemma), fabs(warp_sum(sum)) / c};
    }
};

template <class P> struct support_of_row {
    typedef double result;
    const P *p;
    const float *gain, *bias;
    int c, ld;

    __device__ __forceinline__ double operator()(size_t r, int lane) const
    {
        double squares = 0, along = 0;
        for (int i = lane; i < c; i += WARP) {
            const double v = float(p[r * ld + i]), scaled = (gain ? gain[i] : 1) * v;
            squares += scaled * scaled;
            along += bias ? v * bias[i] : 0;
        }
        return sqrt(c * warp_sum(squares)) - warp_sum(along);
    }
};

extern "C" void cuda_sums(const struct tensor *x, const struct tensor *with, struct sequences w,
                          struct sums *to)
{
    const int c = x->cols;
    by_storage(x, [&](auto a) {
        by_storage(with ? with : x, [&](auto b) {
            using X = decltype(a);
            using W = decltype(b);
            const sums_of_row<X, W> f = {data_of<X>(x), with ? data_of<W>(with) : nullptr, c,
                                         x->ld, with ? with->ld : 0};
            const struct sums *of = reduce<1, FEW_ROWS>(w, f, to);
            LAUNCH(sequence_deviations, w.n, BLOCK, 0, w.time, c, of, to);
        });
    });
}

extern "C" void cuda_welford(const struct tensor *x, struct sequences w, long long n, double *means,
                             struct welford *to)
{
    by_storage(x, [&](auto a) {
        using X = decltype(a);
        const welford_of_row<X> f = {data_of<X>(x), means, x->cols, x->ld, w.n, w.time, n};
        reduce<0, FEW_ROWS>({1, w.time}, f, to);
    });
}

extern "C" void cuda_ellipsoid(const struct norm_args *a, struct sequences w, struct ellipsoid *to)
{
    by_storage(a->x, [&](auto x) {
        by_storage(a->y, [&](auto y) {
            using X = decltype(x);
            using Y = decltype(y);
            const ellipsoid_of_row<X, Y> f = {data_of<X>(a->x), data_of<Y>(a->y),
                                              data_or_null(a->gain), data_or_null(a->bias),
                                              a->x->cols, a->x->ld, a->y->ld, a->center, a->eps};
            reduce<2, MANY_ROWS>(w, f, to);
        });
    });
}

extern "C" void cuda_support(const struct tensor *p, const struct tensor *gain,
                             const struct tensor *bias, struct sequences w, double *to)
{
    by_storage(p, [&](auto a) {
        using P = decltype(a);
        const support_of_row<P> f = {data_of<P>(p), data_or_null(gain), data_or_null(bias),
                                     p->cols, p->ld};
        reduce<0, MANY_ROWS>(w, f, to);
    });
}
