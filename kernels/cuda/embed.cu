/* embed.cu - rows of tables, added up; the gradient of a table's row is the sum over the rows
 * that took it, in their order: each row finds the next one with the same number, and the first
 * of each chain walks it.  No atomics. */
#include "kernels/cuda/cuda.cuh"

struct table {
    const float *row;       /* [any, c] or NULL */
    const int *numbers;     /* [n, 1], or NULL: row r takes r mod time */
    int ld, numbers_ld;
    int time;
    float scale;
};

static __device__ __forceinline__ size_t number(struct table t, size_t r)
{
    return t.numbers ? t.numbers[r * t.numbers_ld] : r % t.time;
}

__global__ void embed_forward(int c, struct table token, struct table position,
                              struct table segment, float *y, int y_ld)
{
    const size_t r = blockIdx.x;
    const float *a = token.row + number(token, r) * token.ld;
    const float *b = position.row ? position.row + number(position, r) * position.ld : nullptr;
    const float *s = segment.row ? segment.row + number(segment, r) * segment.ld : nullptr;
    for (int i = threadIdx.x; i < c; i += BLOCK)
        y[r * y_ld + i] = token.scale * a[i] + (b ? b[i] : 0) + (s ? s[i] : 0);
}

/* next[r] = the first row after r with r's number, n without one; first[r] = no row before r
 * has it.  A block to a row. */
__global__ void embed_links(int n, struct table t, int *next, int *first)
{
    __shared__ int nearest;
    const int r = blockIdx.x;
    const size_t mine = number(t, r);
    int before = 0, after = n;
    if (threadIdx.x == 0)
        nearest = n;
    for (int k = 0; k < r && !before; k += BLOCK)
        before = __syncthreads_or(k + threadIdx.x < r && number(t, k + threadIdx.x) == mine);
    __syncthreads();
    for (int k = r + 1; k < n && after == n; k += BLOCK) {
        const int other = k + threadIdx.x;
        if (other < n && number(t, other) == mine)
            atomicMin(&nearest, other);
        __syncthreads();
        after = nearest;
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        next[r] = after;
        first[r] = !before;
    }
}

/* A table of which only some rows get a gradient. */
__global__ void embed_clear(int c, float *dtable, int ld)
{
    for (int i = threadIdx.x; i < c; i += BLOCK)
        dtable[(size_t)blockIdx.x * ld + i] = 0;
}

/* drow[number] += scale * dy over the chain that starts at this block's row. */
__global__ void embed_backward(int n, int c, struct table t, float *dtable, const float *dy,
                               int y_ld, const int *next, const int *first)
{
    const int i = blockIdx.y * BLOCK + threadIdx.x;
    if (!first[blockIdx.x] || i >= c)
        return;
    float *to = dtable + number(t, blockIdx.x) * t.ld + i;
    float sum = *to;
    for (int r = blockIdx.x; r < n; r = next[r])
        sum += t.scale * dy[(size_t)r * y_ld + i];
    *to = sum;
}

static struct table table_of(const struct tensor *rows, const struct tensor *numbers, int time,
                             float scale)
{
    if (!rows)
        return {nullptr, nullptr, 0, 0, 1, 1};
    return {rows->data, numbers ? (const int *)numbers->data : nullptr, rows->ld,
            numbers ? numbers->ld : 0, time, scale};
}

static void add_rows(const struct embed_args *a, const struct tensor *rows,
                     const struct tensor *numbers, float scale)
{
    const int n = a->y->rows, c = a->y->cols;
    if (!rows || !rows->grad)
        return;
    if (rows->fresh)
        LAUNCH(embed_clear, (unsigned)rows->rows, BLOCK, 0, c, rows->grad, rows->ld);
    const struct table t = table_of(rows, numbers, a->time, scale);
    int *next = (int *)cuda_scratch(SCRATCH_LINKS, sizeof(int) * 2 * (size_t)n);
    LAUNCH(embed_links, (unsigned)n, BLOCK, 0, n, t, next, next + n);
    LAUNCH(embed_backward, dim3(n, blocks_for(c, BLOCK)), BLOCK, 0, n, c, t, rows->grad,
           a->y->grad, a->y->ld, next, next + n);
}

extern "C" void cuda_embed_forward(const struct embed_args *a)
{
    LAUNCH(embed_forward, (unsigned)a->y->rows, BLOCK, 0, a->y->cols,
           table_of(a->token, a->ids, a->time, a->scale),
           table_of(a->position, a->places, a->time, 1),
           table_of(a->segment, a->segments, a->time, 1), a->y->data, a->y->ld);
}

extern "C" void cuda_embed_backward(const struct embed_args *a)
{
    add_rows(a, a->token, a->ids, a->scale);
    add_rows(a, a->position, a->places, 1);
    add_rows(a, a->segment, a->segments, 1);
}
