/* matmul.cu - matrix products through cuBLASLt.  Its column-major matrices are ours turned:
 * c' = b' a'.  The algorithm for a shape is chosen once and kept. */
#include "kernels/cuda/matmul.cuh"
#include <cublasLt.h>
#include <string.h>

#define LT(call)                                                                  \
    do {                                                                          \
        const cublasStatus_t status_ = (call);                                    \
        if (status_ != CUBLAS_STATUS_SUCCESS)                                     \
            die("%s:%d: %s: cuBLAS status %d", __FILE__, __LINE__, #call, (int)status_); \
    } while (0)

/* What the choice of an algorithm depends on. */
struct shape {
    int m, n, k, a_ld, b_ld, c_ld;
    int a_turned, b_turned, add, bias, precision;
    unsigned a_align, b_align, c_align;
};

struct chosen {
    struct shape shape;
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t a, b, c;
    cublasLtMatmulAlgo_t algo;
    size_t workspace;
    struct chosen *next;
};

enum { WORKSPACE = 32 << 20, BUCKETS = 256 };
static cublasLtHandle_t handle;
static void *workspace;
static struct chosen *known[BUCKETS];

/* The largest power of two up to 256 that divides an address. */
static unsigned alignment(const void *p)
{
    const uintptr_t low = (uintptr_t)p | 256;
    return (unsigned)(low & (~low + 1));
}

static void describe(struct chosen *t)
{
    const struct shape *s = &t->shape;
    const cublasOperation_t turn_a = s->a_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t turn_b = s->b_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasLtEpilogue_t epilogue = s->bias ? CUBLASLT_EPILOGUE_BIAS
                                                : CUBLASLT_EPILOGUE_DEFAULT;
    LT(cublasLtMatmulDescCreate(&t->desc, s->precision == PRECISION_BF16
                                ? CUBLAS_COMPUTE_32F_FAST_16BF : CUBLAS_COMPUTE_32F, CUDA_R_32F));
    LT(cublasLtMatmulDescSetAttribute(t->desc, CUBLASLT_MATMUL_DESC_TRANSA, &turn_b,
                                      sizeof turn_b));
    LT(cublasLtMatmulDescSetAttribute(t->desc, CUBLASLT_MATMUL_DESC_TRANSB, &turn_a,
                                      sizeof turn_a));
    LT(cublasLtMatmulDescSetAttribute(t->desc, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
                                      sizeof epilogue));
    LT(cublasLtMatrixLayoutCreate(&t->b, CUDA_R_32F, s->b_turned ? s->k : s->n,
                                  s->b_turned ? s->n : s->k, s->b_ld));
    LT(cublasLtMatrixLayoutCreate(&t->a, CUDA_R_32F, s->a_turned ? s->m : s->k,
                                  s->a_turned ? s->k : s->m, s->a_ld));
    LT(cublasLtMatrixLayoutCreate(&t->c, CUDA_R_32F, s->n, s->m, s->c_ld));
}

static void choose(struct chosen *t)
{
    const struct shape *s = &t->shape;
    const uint64_t bytes = WORKSPACE;
    const struct {
        cublasLtMatmulPreferenceAttributes_t which;
        uint32_t align;
    } aligns[] = {
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, s->b_align},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, s->a_align},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, s->c_align},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, s->c_align},
    };
    cublasLtMatmulPreference_t wish;
    cublasLtMatmulHeuristicResult_t best;
    int found = 0;
    LT(cublasLtMatmulPreferenceCreate(&wish));
    LT(cublasLtMatmulPreferenceSetAttribute(wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
                                            sizeof bytes));
    for (int i = 0; i < 4; i++)
        LT(cublasLtMatmulPreferenceSetAttribute(wish, aligns[i].which, &aligns[i].align,
                                                sizeof aligns[i].align));
    LT(cublasLtMatmulAlgoGetHeuristic(handle, t->desc, t->b, t->a, t->c, t->c, wish, 1, &best,
                                      &found));
    LT(cublasLtMatmulPreferenceDestroy(wish));
    if (!found)
        die("cuBLAS has no algorithm for a product of [%d, %d] and [%d, %d]", s->m, s->k, s->k,
            s->n);
    t->algo = best.algo;
    t->workspace = best.workspaceSize;
    if (t->workspace && !workspace)
        CUDA(cudaMalloc(&workspace, WORKSPACE));
}

static struct chosen *algorithm_for(const struct shape *s)
{
    unsigned hash = 2166136261u;
    for (size_t i = 0; i < sizeof *s; i++)
        hash = (hash ^ ((const unsigned char *)s)[i]) * 16777619u;
    struct chosen **bucket = &known[hash % BUCKETS];
    for (struct chosen *t = *bucket; t; t = t->next)
        if (!memcmp(&t->shape, s, sizeof *s))
            return t;
    struct chosen *t = (struct chosen *)zalloc(1, sizeof *t);
    t->shape = *s;
    describe(t);
    choose(t);
    t->next = *bucket;
    return *bucket = t;
}

void matmul(const struct product *p)
{
    if (!handle)
        LT(cublasLtCreate(&handle));
    const struct shape s = {
        p->m, p->n, p->k, p->a_ld, p->b_ld, p->c_ld, p->a_turned, p->b_turned, p->add,
        p->bias != nullptr, p->precision, alignment(p->a), alignment(p->b), alignment(p->c),
    };
    struct chosen *t = algorithm_for(&s);
    const float one = 1, old = p->add ? 1 : 0;
    if (p->bias)
        LT(cublasLtMatmulDescSetAttribute(t->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &p->bias,
                                          sizeof p->bias));
    LT(cublasLtMatmul(handle, t->desc, &one, p->b, t->b, p->a, t->a, &old, p->c, t->c, p->c, t->c,
                      &t->algo, workspace, t->workspace, cuda_stream));
}
