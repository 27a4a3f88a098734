/* backend.cu - the CUDA device as a backend: memory, copies, and the table of its kernels. */
#include "kernels/cuda/stream.cuh"

unsigned cuda_scratch_moves;

void *cuda_scratch(enum scratch use, size_t bytes)
{
    static struct {
        void *memory;
        size_t size;
    } held[SCRATCH_USES];
    if (bytes > held[use].size) {
        cuda_wait();
        CUDA(cudaFree(held[use].memory));
        held[use].size = bytes;
        CUDA(cudaMalloc(&held[use].memory, bytes));
        cuda_scratch_moves++;
    }
    return held[use].memory;
}

extern "C" {

static void cuda_zero(float *p, size_t n)
{
    CUDA(cudaMemsetAsync(p, 0, n * sizeof *p, cuda_stream));
}

static float *cuda_alloc(size_t n)
{
    float *p;
    const size_t bytes = (n + !n) * sizeof *p;
    const cudaError_t error = cudaMalloc(&p, bytes);
    if (error != cudaSuccess)
        die("%s:%d: cudaMalloc of %zu bytes: %s; a smaller --batch takes less, and train with "
            "--recompute", __FILE__, __LINE__, bytes, cudaGetErrorString(error));
    cuda_zero(p, n);
    return p;
}

static void cuda_release(float *p)
{
    cuda_wait();
    CUDA(cudaFree(p));
}

static void cuda_put(float *device, const void *host, size_t bytes)
{
    CUDA(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, cuda_stream));
    cuda_wait();
}

static void cuda_get(void *host, const void *device, size_t bytes)
{
    CUDA(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, cuda_stream));
    cuda_wait();
}

void cuda_narrow(uint16_t *to, const float *from, size_t n);
void cuda_sum(const float *x, size_t n, double *sum);
void cuda_sum_squares(const float *x, size_t n, double *sum);
void cuda_sums(const struct tensor *x, const struct tensor *with, struct sequences, struct sums *);
void cuda_welford(const struct tensor *x, struct sequences, long long n, double *means,
                  struct welford *);
void cuda_ellipsoid(const struct norm_args *, struct sequences, struct ellipsoid *);
void cuda_support(const struct tensor *p, const struct tensor *gain, const struct tensor *bias,
                  struct sequences, double *);
void cuda_settle(struct update *u, const double *losses, int n, double clip);
void cuda_adam(const struct adam_args *);
void cuda_sgd(const struct sgd_args *);
#define OP(name, in, out, keep)                           \
    void cuda_##name##_forward(const struct name##_args *);   \
    void cuda_##name##_backward(const struct name##_args *);
#include "kernels/ops.def"
#undef OP

static const struct backend table = {
    .name = "cuda", .stores = 1, .narrows = 1, .joins = 1,
    .alloc = cuda_alloc, .release = cuda_release, .zero = cuda_zero,
    .put = cuda_put, .get = cuda_get, .send = cuda_send, .copy = cuda_copy,
    .narrow = cuda_narrow, .wait = cuda_wait,
    .replay = cuda_replay, .forget = cuda_forget, .sum = cuda_sum,
    .sum_squares = cuda_sum_squares, .sums = cuda_sums, .welford = cuda_welford,
    .ellipsoid = cuda_ellipsoid, .support = cuda_support,
    .settle = cuda_settle, .adam = cuda_adam, .sgd = cuda_sgd,
    .halve = nullptr, .peak = nullptr, .bandwidth = nullptr,
#define OP(name, in, out, keep) \
    .name##_forward = cuda_##name##_forward, .name##_backward = cuda_##name##_backward,
#include "kernels/ops.def"
#undef OP
};

/* The backend of the first device; dies with the reason where there is none. */
const struct backend *cuda_backend_open(void)
{
    int n = 0;
    const cudaError_t error = cudaGetDeviceCount(&n);
    if (error != cudaSuccess || !n)
        die("--device cuda: no GPU can be used: %s",
            error != cudaSuccess ? cudaGetErrorString(error) : "none is there");
    streams_open();
    return &table;
}

}
