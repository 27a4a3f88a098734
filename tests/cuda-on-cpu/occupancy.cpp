// occupancy - NVIDIA's occupancy calculator for a multiprocessor of sm_90.  Lines of standard
// input: kernel, registers of a thread, bytes of a block's static and dynamic shared memory, its threads,
// tab-separated; each is printed again with the share of 64 warps that can be there at once.
#include <cstddef>
#include <cuda_occupancy.h>
#include <cstdio>

int main()
{
    cudaOccDeviceProp chip;
    chip.computeMajor = 9, chip.computeMinor = 0, chip.warpSize = 32, chip.numSms = 132;
    chip.maxThreadsPerBlock = 1024, chip.maxThreadsPerMultiprocessor = 2048;
    chip.regsPerBlock = chip.regsPerMultiprocessor = 65536;
    chip.sharedMemPerBlock = 48 << 10, chip.sharedMemPerBlockOptin = 227 << 10;
    chip.sharedMemPerMultiprocessor = 228 << 10, chip.reservedSharedMemPerBlock = 1024;
    char name[400];
    int registers, fixed, dynamic, threads;
    while (scanf(" %399[^\t] %d %d %d %d", name, &registers, &fixed, &dynamic, &threads) == 5) {
        cudaOccFuncAttributes kernel;
        kernel.maxThreadsPerBlock = 1024, kernel.numRegs = registers;
        kernel.sharedSizeBytes = fixed, kernel.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
        kernel.maxDynamicSharedSizeBytes = (227 << 10) - fixed;
        cudaOccDeviceState state;
        cudaOccResult result;
        if (cudaOccMaxActiveBlocksPerMultiprocessor(&result, &chip, &kernel, &state, threads,
                                                    dynamic) != CUDA_OCC_SUCCESS)
            return 1;
        printf("%s\t%d\t%d\t%d\t%d\t%d %%\n", name, registers, fixed, dynamic, threads,
               result.activeBlocksPerMultiprocessor * threads * 100 / 2048);
    }
}
