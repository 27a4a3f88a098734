/* backend.cu - the CUDA device as a backend: memory, copies, and the table of its kernels. */
#include "kernels/cuda/cuda.cuh"

cudaStream_t cuda_stream;

void *cuda_scratch(size_t bytes)
{
    static void *memory;
    static size_t size;
    if (bytes > size) {
        CUDA(cudaStreamSynchronize(cuda_stream));
        CUDA(cudaFree(memory));
        size = bytes + bytes / 2;
        CUDA(cudaMalloc(&memory, size));
    }
    return memory;
}

extern "C" {

static void cuda_zero(float *p, size_t n)
{
    CUDA(cudaMemsetAsync(p, 0, n * sizeof *p, cuda_stream));
}

static float *cuda_alloc(size_t n)
{
    float *p;
    CUDA(cudaMalloc(&p, (n + !n) * sizeof *p));
    cuda_zero(p, n);
    return p;
}

static void cuda_release(float *p)
{
    CUDA(cudaStreamSynchronize(cuda_stream));
    CUDA(cudaFree(p));
}

static void cuda_put(float *device, const void *host, size_t bytes)
{
    CUDA(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, cuda_stream));
    CUDA(cudaStreamSynchronize(cuda_stream));
}

static void cuda_get(void *host, const float *device, size_t bytes)
{
    CUDA(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, cuda_stream));
    CUDA(cudaStreamSynchronize(cuda_stream));
}

double cuda_sum_squares(const float *x, size_t n);
void cuda_adam(const struct adam_args *);
void cuda_sgd(const struct sgd_args *);
#define OP(name, in, out, keep)                           \
    void cuda_##name##_forward(const struct name##_args *);   \
    void cuda_##name##_backward(const struct name##_args *);
#include "kernels/ops.def"
#undef OP

static const struct backend table = {
    .name = "cuda", .alloc = cuda_alloc, .release = cuda_release, .zero = cuda_zero,
    .put = cuda_put, .get = cuda_get, .sum_squares = cuda_sum_squares, .adam = cuda_adam,
    .sgd = cuda_sgd,
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
    if (!cuda_stream)
        CUDA(cudaStreamCreateWithFlags(&cuda_stream, cudaStreamNonBlocking));
    return &table;
}

}
