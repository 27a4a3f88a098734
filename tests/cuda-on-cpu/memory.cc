/* memory.cc - device memory: one arena that the host cannot touch.  It is readable only while
 * a kernel or a copy runs; freed memory is never handed out again; 256 bytes of red zone
 * stand between allocations; a new one holds NaN, as nothing promises zeros. */
#include "emu.h"
#include "include/cuda_runtime.h"
#include <map>
#include <sys/mman.h>

enum : size_t { ZONE = 256, PAGE = 4096 };
static char *arena;
static size_t used;

struct Block {
    size_t n;
    bool live;
};

static std::map<size_t, Block> blocks;
static int open_depth;

char *emu_arena()
{
    if (!arena) {
        arena = (char *)mmap(nullptr, EMU_ARENA, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (arena == MAP_FAILED)
            abort();
    }
    return arena;
}

void emu_open_memory(bool open)
{
    if (open ? open_depth++ == 0 : --open_depth == 0)
        if (used)
            mprotect(emu_arena(), (used + PAGE - 1) & ~(PAGE - 1),
                     open ? PROT_READ | PROT_WRITE : PROT_NONE);
}

cudaError_t cudaMalloc(void **p, size_t n)
{
    EMU_MAY_FAIL(cudaErrorMemoryAllocation);
    const size_t off = (used + 2 * ZONE - 1) & ~(ZONE - 1);
    emu_not_captured("cudaMalloc");
    emu_arena();
    if (off + n + ZONE > EMU_ARENA)
        return cudaErrorMemoryAllocation;
    emu_open_memory(true);
    used = off + n + ZONE;
    blocks[off] = {n, true};
    *p = arena + off;
    mprotect(arena, (used + PAGE - 1) & ~(PAGE - 1), PROT_READ | PROT_WRITE);
    ASAN_UNPOISON_MEMORY_REGION(arena + off, n);
    memset(*p, 0xff, n);
    ASAN_POISON_MEMORY_REGION(arena + off + n, ZONE);
    ASAN_POISON_MEMORY_REGION(arena + off - ZONE, ZONE);
    emu_open_memory(false);
    return cudaSuccess;
}

cudaError_t cudaFree(void *p)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    if (!p)
        return cudaSuccess;
    cudaDeviceSynchronize();
    auto it = blocks.find((char *)p - emu_arena());
    if (it == blocks.end() || !it->second.live)
        emu_die("cudaFree", {}, "not a live device pointer: %p", p);
    it->second.live = false;
    char *const from = arena + ((it->first + PAGE - 1) & ~(PAGE - 1));
    char *const end = arena + ((it->first + it->second.n) & ~(PAGE - 1));
    if (from < end)
        madvise(from, end - from, MADV_DONTNEED);       /* or opening it takes ever longer */
    ASAN_POISON_MEMORY_REGION(p, it->second.n);
    return cudaSuccess;
}

const char *emu_global_find(const void *p, size_t n, size_t *off)
{
    const size_t o = (size_t)((const char *)p - emu_arena());
    *off = o;
    if (o >= EMU_ARENA)
        return nullptr;
    auto it = blocks.upper_bound(o);
    if (it == blocks.begin())
        return nullptr;
    --it;
    *off = o - it->first;
    if (*off + n > it->second.n || !it->second.live)
        return nullptr;
    return "device memory";
}

cudaError_t cudaMallocHost(void **p, size_t n)
{
    EMU_MAY_FAIL(cudaErrorMemoryAllocation);
    *p = malloc(n);
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *p)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    cudaDeviceSynchronize();
    free(p);
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *f, size_t *t)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    *t = EMU_ARENA;
    *f = EMU_ARENA - used;
    return cudaSuccess;
}

static void need_device(const void *p, size_t n, const char *what)
{
    size_t off;
    if (n && !emu_global_find(p, n, &off))
        emu_die(what, {}, "%p + %zu is not inside a live device allocation", p, n);
}

static void need_host(const void *p, const char *what)
{
    if ((size_t)((const char *)p - emu_arena()) < EMU_ARENA)
        emu_die(what, {}, "%p is device memory, not host memory", p);
}

static void check_copy(void *d, const void *s, size_t n, cudaMemcpyKind k)
{
    if (k != cudaMemcpyDeviceToDevice)      /* a graph would read this host memory later */
        emu_not_captured("cudaMemcpy from or to the host");
    if (k == cudaMemcpyHostToDevice || k == cudaMemcpyDeviceToDevice)
        need_device(d, n, "cudaMemcpy target");
    if (k == cudaMemcpyDeviceToHost || k == cudaMemcpyDeviceToDevice)
        need_device(s, n, "cudaMemcpy source");
    if (k == cudaMemcpyHostToDevice)
        need_host(s, "cudaMemcpy source");
    if (k == cudaMemcpyDeviceToHost)
        need_host(d, "cudaMemcpy target");
}

cudaError_t cudaMemcpyAsync(void *d, const void *s, size_t n, cudaMemcpyKind k, cudaStream_t st)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    check_copy(d, s, n, k);
    emu_enqueue(st, [=] { memcpy(d, s, n); });
    return cudaSuccess;
}

cudaError_t cudaMemcpy(void *d, const void *s, size_t n, cudaMemcpyKind k)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    cudaMemcpyAsync(d, s, n, k, nullptr);
    return cudaStreamSynchronize(nullptr);
}

cudaError_t cudaMemsetAsync(void *d, int v, size_t n, cudaStream_t st)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    need_device(d, n, "cudaMemset");
    emu_enqueue(st, [=] { memset(d, v, n); });
    return cudaSuccess;
}

cudaError_t cudaMemset(void *d, int v, size_t n)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    cudaMemsetAsync(d, v, n, nullptr);
    return cudaStreamSynchronize(nullptr);
}

