/* cublaslt.c - cuBLASLt, loaded at its first use: a program built with CUDA starts on a machine
 * that has neither driver nor toolkit.  Every function that matmul.cu calls stands here once. */
#include "base/base.h"
#include <cublasLt.h>
#include <dlfcn.h>

static void *find(const char *name)
{
    static const char *const files[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"};
    static void *library;
    for (size_t i = 0; !library && i < sizeof files / sizeof *files; i++)
        library = dlopen(files[i], RTLD_NOW);
    if (!library)
        die("--device cuda: cuBLASLt cannot be loaded: %s", dlerror());
    void *f = dlsym(library, name);
    if (!f)
        die("--device cuda: cuBLASLt has no %s", name);
    return f;
}

#define FORWARD(name, parameters, ...)                       \
    cublasStatus_t name parameters                           \
    {                                                        \
        static cublasStatus_t (*f) parameters;               \
        if (!f)                                              \
            *(void **)&f = find(#name);                      \
        return f(__VA_ARGS__);                               \
    }

FORWARD(cublasLtCreate, (cublasLtHandle_t *h), h)
FORWARD(cublasLtMatmulDescCreate,
        (cublasLtMatmulDesc_t *d, cublasComputeType_t compute, cudaDataType_t scale), d, compute,
        scale)
FORWARD(cublasLtMatmulDescSetAttribute,
        (cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t which, const void *value,
         size_t bytes), d, which, value, bytes)
FORWARD(cublasLtMatrixLayoutCreate,
        (cublasLtMatrixLayout_t *l, cudaDataType type, uint64_t rows, uint64_t cols, int64_t ld),
        l, type, rows, cols, ld)
FORWARD(cublasLtMatmulPreferenceCreate, (cublasLtMatmulPreference_t *p), p)
FORWARD(cublasLtMatmulPreferenceSetAttribute,
        (cublasLtMatmulPreference_t p, cublasLtMatmulPreferenceAttributes_t which,
         const void *value, size_t bytes), p, which, value, bytes)
FORWARD(cublasLtMatmulPreferenceDestroy, (cublasLtMatmulPreference_t p), p)
FORWARD(cublasLtMatmulAlgoGetHeuristic,
        (cublasLtHandle_t h, cublasLtMatmulDesc_t d, cublasLtMatrixLayout_t a,
         cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t out,
         cublasLtMatmulPreference_t p, int wanted, cublasLtMatmulHeuristicResult_t results[],
         int *found), h, d, a, b, c, out, p, wanted, results, found)
FORWARD(cublasLtMatmul,
        (cublasLtHandle_t h, cublasLtMatmulDesc_t d, const void *alpha, const void *A,
         cublasLtMatrixLayout_t a, const void *B, cublasLtMatrixLayout_t b, const void *beta,
         const void *C, cublasLtMatrixLayout_t c, void *D, cublasLtMatrixLayout_t d_layout,
         const cublasLtMatmulAlgo_t *algo, void *workspace, size_t bytes, cudaStream_t s),
        h, d, alpha, A, a, B, b, beta, C, c, D, d_layout, algo, workspace, bytes, s)
