/* stream.cu - the order in which the device works: one stream computes, another brings batches
 * from pinned memory meanwhile, and work that repeats is captured as a CUDA graph. */
#include "kernels/cuda/stream.cuh"

cudaStream_t cuda_stream;
static cudaStream_t bringing;

/* What is on its way: pinned host memory, and its copy on the device until cuda_stream takes it.
 * With two, one is filled while the other is still waited for. */
struct parcel {
    void *host, *device;
    size_t room;
    cudaEvent_t there, taken;
};

void streams_open(void)
{
    if (!cuda_stream) {
        CUDA(cudaStreamCreateWithFlags(&cuda_stream, cudaStreamNonBlocking));
        CUDA(cudaStreamCreateWithFlags(&bringing, cudaStreamNonBlocking));
    }
}

/* A parcel that nobody waits for any more, with room for so many bytes. */
static struct parcel *free_parcel(size_t bytes)
{
    static struct parcel parcels[2];
    static unsigned turn;
    struct parcel *p = &parcels[turn++ % 2];
    if (!p->there) {
        CUDA(cudaEventCreateWithFlags(&p->there, cudaEventDisableTiming));
        CUDA(cudaEventCreateWithFlags(&p->taken, cudaEventDisableTiming));
    }
    CUDA(cudaEventSynchronize(p->taken));
    if (bytes > p->room) {
        CUDA(cudaFreeHost(p->host));
        CUDA(cudaFree(p->device));
        CUDA(cudaMallocHost(&p->host, bytes));
        CUDA(cudaMalloc(&p->device, bytes));
        p->room = bytes;
    }
    return p;
}

extern "C" void cuda_send(float *device, const void *host, size_t bytes)
{
    struct parcel *p = free_parcel(bytes);
    memcpy(p->host, host, bytes);
    CUDA(cudaMemcpyAsync(p->device, p->host, bytes, cudaMemcpyHostToDevice, bringing));
    CUDA(cudaEventRecord(p->there, bringing));
    CUDA(cudaStreamWaitEvent(cuda_stream, p->there, 0));
    CUDA(cudaMemcpyAsync(device, p->device, bytes, cudaMemcpyDeviceToDevice, cuda_stream));
    CUDA(cudaEventRecord(p->taken, cuda_stream));
}

extern "C" void cuda_copy(float *to, const float *from, size_t floats)
{
    CUDA(cudaMemcpyAsync(to, from, floats * sizeof *to, cudaMemcpyDeviceToDevice, cuda_stream));
}

extern "C" void cuda_wait(void)
{
    CUDA(cudaStreamSynchronize(cuda_stream));
}

/* The addresses in a graph are good as long as no scratch memory has moved. */
struct recording {
    cudaGraphExec_t graph;
    unsigned moves;         /* of scratch memory before its last run */
};

static void drop_graph(struct recording *r)
{
    if (r->graph) {
        cuda_wait();
        CUDA(cudaGraphExecDestroy(r->graph));
    }
    r->graph = nullptr;
}

static void capture(struct recording *r, void (*work)(void *), void *of)
{
    cudaGraph_t graph;
    CUDA(cudaStreamBeginCapture(cuda_stream, cudaStreamCaptureModeThreadLocal));
    work(of);
    CUDA(cudaStreamEndCapture(cuda_stream, &graph));
    CUDA(cudaGraphInstantiate(&r->graph, graph, 0));
    CUDA(cudaGraphDestroy(graph));
}

/* The first run allocates scratch memory and chooses algorithms, so it cannot be captured; the
 * second one is.  Where scratch memory has moved since, both come again. */
extern "C" void cuda_replay(struct recording **keep, void (*work)(void *), void *of)
{
    struct recording *r = *keep;
    if (!r)
        r = *keep = (struct recording *)zalloc(1, sizeof *r);
    else if (r->moves == cuda_scratch_moves && !r->graph)
        capture(r, work, of);
    if (r->moves != cuda_scratch_moves || !r->graph) {
        drop_graph(r);
        work(of);
        r->moves = cuda_scratch_moves;
    } else {
        CUDA(cudaGraphLaunch(r->graph, cuda_stream));
    }
}

extern "C" void cuda_forget(struct recording **keep)
{
    if (!*keep)
        return;
    drop_graph(*keep);
    free(*keep);
    *keep = nullptr;
}
