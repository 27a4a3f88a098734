#include "kernels/memory.h"
#include "base/base.h"
#include "kernels/settle.h"
#include <string.h>
#include <sys/mman.h>

enum { HEAD = 64 };     /* bytes in front of the caller's, holding the size */

float *memory_alloc(size_t floats)
{
    const size_t bytes = floats * sizeof(float) + HEAD;
    size_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        die("out of memory (%zu bytes)", bytes);
    madvise(p, bytes, MADV_HUGEPAGE);       /* a wish: no harm where it is refused */
    *p = bytes;
    return (float *)(void *)((char *)p + HEAD);
}

void memory_release(float *floats)
{
    if (floats) {
        void *p = (char *)(void *)floats - HEAD;
        munmap(p, *(size_t *)p);
    }
}

void memory_put(float *device, const void *host, size_t bytes)
{
    memcpy(device, host, bytes);
}

void memory_get(void *host, const void *device, size_t bytes)
{
    memcpy(host, device, bytes);
}

void memory_copy(float *to, const float *from, size_t floats)
{
    memcpy(to, from, floats * sizeof *to);
}

void memory_wait(void)
{
}

void memory_replay(struct recording **r, void (*work)(void *), void *of)
{
    (void)r;
    work(of);
}

void memory_forget(struct recording **r)
{
    (void)r;
}

void memory_settle(struct update *u, const double *losses, int n, double clip)
{
    settle_update(u, losses, n, clip);
}
