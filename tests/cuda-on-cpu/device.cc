/* device.cc - the device's properties, and what stands between a launch and emu_run(). */
#include "emu.h"
#include "include/cuda_runtime.h"
#include <map>

static std::map<const void *, size_t> smem_limit;

cudaError_t emu_func_attr(const void *f, cudaFuncAttribute a, int v)
{
    if (a == cudaFuncAttributeMaxDynamicSharedMemorySize) {
        if (v > EMU_SHARED_MAX)
            return cudaErrorInvalidValue;
        smem_limit[f] = (size_t)v;
    }
    return cudaSuccess;
}

void emu_check_smem(const void *f, size_t smem, const char *name)
{
    if (smem > 48 << 10 && smem_limit[f] < smem) {
        emu.name = name;
        emu_die("launch", {}, "%zu bytes of dynamic shared memory without cudaFuncSetAttribute",
                smem);
    }
}

cudaError_t cudaGetLastError()
{
    return cudaSuccess;
}

cudaError_t cudaPeekAtLastError()
{
    return cudaSuccess;
}

const char *cudaGetErrorString(cudaError_t e)
{
    return e ? "error" : "no error";
}

cudaError_t cudaGetDeviceCount(int *n)
{
    *n = 1;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int)
{
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int)
{
    *p = {"CUDA on the CPU", EMU_ARENA, 48 << 10, EMU_SHARED_MAX, 9, 0, 132, 32, 1024, 2048, 60 << 20};
    return cudaSuccess;
}
/* The mangled name of a kernel: PTX names it the same way. */
bool emu_ptx_run(const char *mangled, void **argv, dim3 g, dim3 b, size_t smem)
    __attribute__((weak));

bool emu_ptx(const void *f, void **argv, dim3 g, dim3 b, size_t smem, const char *name)
{
    Dl_info di{};
    if (!&emu_ptx_run || !getenv("EMU_PTX"))
        return false;
    if (!dladdr(f, &di) || !di.dli_sname)
        emu_die("PTX", {}, "no symbol for kernel %s: link with -rdynamic, and no static kernels",
                name);
    emu.name = name;
    return emu_ptx_run(di.dli_sname, argv, g, b, smem);
}

#ifndef EMU_CHECK
void emu_block_begin() {}
void emu_block_end() {}
void emu_launch_end() {}
void emu_note_access(const void *, size_t, bool, bool, const void *) {}
#endif
