/* device.cc - the device's properties, and what stands between a launch and emu_run(). */
#include "emu.h"
#include "include/cuda_runtime.h"
#include <cxxabi.h>
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

void emu_check_smem(const void *f, size_t smem)
{
    emu.name = emu_kernel_name(f);
    if (smem > 48 << 10 && smem_limit[f] < smem)
        emu_die("launch", {}, "%zu bytes of dynamic shared memory without cudaFuncSetAttribute",
                smem);
}

const char *emu_kernel_symbol(const void *f)
{
    Dl_info di{};
    if (!dladdr(f, &di) || !di.dli_sname || di.dli_saddr != f)
        emu_die("launch", {}, "a kernel has no symbol: link with -rdynamic, no static kernels");
    return di.dli_sname;
}

const char *emu_kernel_name(const void *f)
{
    static std::map<const void *, std::string> names;
    std::string &name = names[f];
    if (name.empty()) {
        int status;
        char *whole = abi::__cxa_demangle(emu_kernel_symbol(f), nullptr, nullptr, &status);
        name = whole ? whole : emu_kernel_symbol(f);
        name = name.substr(0, name.find('('));
        if (name.rfind("void ", 0) == 0)
            name = name.substr(5);
        free(whole);
    }
    return name.c_str();
}

cudaError_t cudaGetLastError()
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    return cudaSuccess;
}

cudaError_t cudaPeekAtLastError()
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    return cudaSuccess;
}

const char *cudaGetErrorString(cudaError_t e)
{
    return e ? "error" : "no error";
}

cudaError_t cudaGetDeviceCount(int *n)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    *n = 1;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int)
{
    EMU_MAY_FAIL(cudaErrorUnknown);
    *p = {"CUDA on the CPU", EMU_ARENA, 48 << 10, EMU_SHARED_MAX, 9, 0, 132, 32, 1024, 2048,
          60 << 20};
    return cudaSuccess;
}
/* ptx_run.cc, where it is linked in. */
__attribute__((weak)) bool emu_ptx_run(const char *symbol, void **argv, dim3 g, dim3 b,
                                       size_t smem);

bool emu_ptx(const void *f, void **argv, dim3 g, dim3 b, size_t smem)
{
    if (!&emu_ptx_run || !getenv("EMU_PTX"))
        return false;
    emu.name = emu_kernel_name(f);
    return emu_ptx_run(emu_kernel_symbol(f), argv, g, b, smem);
}

#ifndef EMU_CHECK
void emu_block_begin() {}
void emu_block_end() {}
void emu_launch_end() {}
void emu_note_access(const void *, size_t, bool, bool, const void *) {}
#endif
