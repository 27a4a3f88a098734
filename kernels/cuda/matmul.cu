/* matmul.cu - matrix products through cuBLASLt.  Its column-major matrices are ours turned:
 * c' = b' a'.  The algorithm for a shape is chosen once and kept. */
#include "kernels/cuda/matmul.cuh"
#include <cublasLt.h>
#include <string.h>

/* A row of f32 becomes bf16: a block to a row. */
__global__ void narrow_rows(int cols, const float *from, int from_ld, bf16 *to, int to_ld)
{
    for (int i = threadIdx.x; i < cols; i += BLOCK)
        to[(size_t)blockIdx.x * to_ld + i] = bf16(from[(size_t)blockIdx.x * from_ld + i]);
}

struct operand operand_of(const struct tensor *t, const float *p, int first, int rows,
                          enum precision precision, enum scratch use)
{
    const size_t at = (size_t)first * t->ld;
    if (precision != PRECISION_BF16 || t->storage == STORAGE_BF16)
        return {tensor_at(t, (float *)p, at), t->ld, t->storage};
    if (t->narrow && p == t->data)
        return {t->narrow + at, t->ld, STORAGE_BF16};
    const int ld = (t->cols + 7) & ~7;          /* rows start at multiples of 16 bytes */
    bf16 *to = (bf16 *)cuda_scratch(use, sizeof *to * (size_t)rows * ld);
    LAUNCH(narrow_rows, (unsigned)rows, BLOCK, 0, t->cols, p + at, t->ld, to, ld);
    return {to, ld, STORAGE_BF16};
}

#define LT(call)                                                                  \
    do {                                                                          \
        const cublasStatus_t status_ = (call);                                    \
        if (status_ != CUBLAS_STATUS_SUCCESS)                                     \
            die("%s:%d: %s: cuBLAS status %d", __FILE__, __LINE__, #call, (int)status_); \
    } while (0)

/* What the choice of an algorithm depends on. */
struct shape {
    int m, n, k, a_ld, b_ld, c_ld;
    int a_turned, b_turned, add, tf32;
    int epilogue, aux_ld;
    enum storage in, out;
    unsigned a_align, b_align, c_align, bias_align, aux_align;
};

struct chosen {
    struct shape shape;
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t a, b, c;
    cublasLtMatmulAlgo_t algo;
    bool there;                 /* cuBLASLt has an algorithm */
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

static cudaDataType_t type_of(enum storage s)
{
    return s == STORAGE_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

/* The vector and the matrix beside a product: added, written or read by the epilogue. */
static const void *bias_of(const struct product *p)
{
    return p->sums ? p->sums : p->bias;
}

static const void *aux_of(const struct product *p)
{
    return p->gelu_of ? p->gelu_of : p->slope_at;
}

static int epilogue_of(const struct product *p)
{
    if (p->gelu_of)
        return p->bias ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS : CUBLASLT_EPILOGUE_GELU_AUX;
    return p->slope_at ? CUBLASLT_EPILOGUE_DGELU : p->sums ? CUBLASLT_EPILOGUE_BGRADB
         : p->bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
}

/* Heuristics look at these addresses too, for their alignment. */
static void point(const struct chosen *t, const struct product *p)
{
    const void *bias = bias_of(p), *aux = aux_of(p);
    if (bias)
        LT(cublasLtMatmulDescSetAttribute(t->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias,
                                          sizeof bias));
    if (aux)
        LT(cublasLtMatmulDescSetAttribute(t->desc, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER,
                                          &aux, sizeof aux));
}

static void describe(struct chosen *t)
{
    const struct shape *s = &t->shape;
    const cublasOperation_t turn_a = s->a_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t turn_b = s->b_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasLtEpilogue_t epilogue = (cublasLtEpilogue_t)s->epilogue;
    const int64_t aux_ld = s->aux_ld;
    const cudaDataType_t in = type_of(s->in);
    LT(cublasLtMatmulDescCreate(&t->desc, s->tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                                  : CUBLAS_COMPUTE_32F, CUDA_R_32F));
    LT(cublasLtMatmulDescSetAttribute(t->desc, CUBLASLT_MATMUL_DESC_TRANSA, &turn_b,
                                      sizeof turn_b));
    LT(cublasLtMatmulDescSetAttribute(t->desc, CUBLASLT_MATMUL_DESC_TRANSB, &turn_a,
                                      sizeof turn_a));
    LT(cublasLtMatmulDescSetAttribute(t->desc, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
                                      sizeof epilogue));
    if (aux_ld)
        LT(cublasLtMatmulDescSetAttribute(t->desc, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, &aux_ld,
                                          sizeof aux_ld));
    LT(cublasLtMatrixLayoutCreate(&t->b, in, s->b_turned ? s->k : s->n,
                                  s->b_turned ? s->n : s->k, s->b_ld));
    LT(cublasLtMatrixLayoutCreate(&t->a, in, s->a_turned ? s->m : s->k,
                                  s->a_turned ? s->k : s->m, s->a_ld));
    LT(cublasLtMatrixLayoutCreate(&t->c, type_of(s->out), s->n, s->m, s->c_ld));
}

/* What is not supported has no algorithm, which is no mistake. */
static cublasStatus_t or_none(cublasStatus_t status, int *found)
{
    if (status != CUBLAS_STATUS_NOT_SUPPORTED)
        return status;
    *found = 0;
    return CUBLAS_STATUS_SUCCESS;
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
    LT(or_none(cublasLtMatmulAlgoGetHeuristic(handle, t->desc, t->b, t->a, t->c, t->c, wish, 1,
                                              &best, &found), &found));
    LT(cublasLtMatmulPreferenceDestroy(wish));
    t->there = found > 0;
    if (!t->there && (s->epilogue == CUBLASLT_EPILOGUE_DEFAULT
                      || s->epilogue == CUBLASLT_EPILOGUE_BIAS))
        die("cuBLAS has no algorithm for a product of [%d, %d] and [%d, %d]", s->m, s->k, s->k,
            s->n);
    if (!t->there)
        return;
    t->algo = best.algo;
    t->workspace = best.workspaceSize;
    if (t->workspace && !workspace)
        CUDA(cudaMalloc(&workspace, WORKSPACE));
}

static struct chosen *algorithm_for(const struct shape *s, const struct product *p)
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
    point(t, p);
    choose(t);
    t->next = *bucket;
    return *bucket = t;
}

bool matmul(const struct product *p)
{
    if (!handle)
        LT(cublasLtCreate(&handle));
    const struct shape s = {
        p->m, p->n, p->k, p->a.ld, p->b.ld, p->c_ld, p->a_turned, p->b_turned, p->add,
        p->precision == PRECISION_TF32, epilogue_of(p), aux_of(p) ? p->aux_ld : 0,
        p->a.storage, p->c_storage, alignment(p->a.at), alignment(p->b.at), alignment(p->c),
        alignment(bias_of(p)), alignment(aux_of(p)),
    };
    if (aux_of(p) && (p->aux_ld % 8 || s.aux_align < 16))
        return false;                   /* what the library asks for */
    struct chosen *t = algorithm_for(&s, p);
    const float one = 1, old = p->add ? 1 : 0;
    if (!t->there)
        return false;
    point(t, p);
    LT(cublasLtMatmul(handle, t->desc, &one, p->b.at, t->b, p->a.at, t->a, &old, p->c, t->c, p->c,
                      t->c, &t->algo, workspace, t->workspace, cuda_stream));
    return true;
}
