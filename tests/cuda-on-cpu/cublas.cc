/* cublas.cc - cuBLASLt's product on the CPU: inputs widened to f32 (rounded to TF32 where the
 * compute type says so), f32 sums, rounded once.  Every operand's full extent must lie in a
 * live allocation and keep the alignment that was promised when the algorithm was chosen. */
#include "emu.h"
#include "include/cublasLt.h"
#include "include/cuda_bf16.h"

struct EmuLt {};
struct EmuLtDesc {
    cublasComputeType_t compute;
    int32_t ta, tb;
    int32_t epilogue;
    const void *bias, *aux;
    int64_t aux_ld;
};
struct EmuLtLayout {
    cudaDataType_t type;
    uint64_t rows, cols;
    int64_t ld;
};
struct EmuLtPreference {
    uint32_t align[4];
};

cublasStatus_t cublasLtCreate(cublasLtHandle_t *h)
{
    EMU_MAY_FAIL(CUBLAS_STATUS_EXECUTION_FAILED);
    *h = new EmuLt;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *d, cublasComputeType_t compute,
                                        cudaDataType_t)
{
    EMU_MAY_FAIL(CUBLAS_STATUS_EXECUTION_FAILED);
    *d = new EmuLtDesc{compute, 0, 0, CUBLASLT_EPILOGUE_DEFAULT, nullptr, nullptr, 0};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d,
                                              cublasLtMatmulDescAttributes_t which,
                                              const void *value, size_t bytes)
{
    EMU_MAY_FAIL(CUBLAS_STATUS_EXECUTION_FAILED);
    const struct {
        cublasLtMatmulDescAttributes_t which;
        void *to;
        size_t bytes;
    } attributes[] = {
        {CUBLASLT_MATMUL_DESC_TRANSA, &d->ta, sizeof d->ta},
        {CUBLASLT_MATMUL_DESC_TRANSB, &d->tb, sizeof d->tb},
        {CUBLASLT_MATMUL_DESC_EPILOGUE, &d->epilogue, sizeof d->epilogue},
        {CUBLASLT_MATMUL_DESC_BIAS_POINTER, &d->bias, sizeof d->bias},
        {CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, &d->aux, sizeof d->aux},
        {CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, &d->aux_ld, sizeof d->aux_ld},
    };
    for (const auto &a : attributes)
        if (a.which == which && a.bytes == bytes) {
            memcpy(a.to, value, bytes);
            return CUBLAS_STATUS_SUCCESS;
        }
    return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *l, cudaDataType_t type,
                                          uint64_t rows, uint64_t cols, int64_t ld)
{
    EMU_MAY_FAIL(CUBLAS_STATUS_EXECUTION_FAILED);
    if (ld < (int64_t)rows)
        return CUBLAS_STATUS_INVALID_VALUE;
    *l = new EmuLtLayout{type, rows, cols, ld};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *p)
{
    EMU_MAY_FAIL(CUBLAS_STATUS_EXECUTION_FAILED);
    *p = new EmuLtPreference{{256, 256, 256, 256}};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p,
                                                    cublasLtMatmulPreferenceAttributes_t which,
                                                    const void *value, size_t bytes)
{
    EMU_MAY_FAIL(CUBLAS_STATUS_EXECUTION_FAILED);
    if (which != CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES)
        memcpy(&p->align[which - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES], value, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p)
{
    EMU_MAY_FAIL(CUBLAS_STATUS_EXECUTION_FAILED);
    delete p;
    return CUBLAS_STATUS_SUCCESS;
}

/* The algorithm remembers what it was promised; see cublasLtMatmul(). */
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t p, int,
                                              cublasLtMatmulHeuristicResult_t *results, int *found)
{
    EMU_MAY_FAIL(CUBLAS_STATUS_EXECUTION_FAILED);
    *results = {};
    for (int i = 0; i < 4; i++)
        results->algo.data[i] = p->align[i];
    results->workspaceSize = 0;
    *found = 1;
    return CUBLAS_STATUS_SUCCESS;
}

static size_t width(cudaDataType_t t)
{
    return t == CUDA_R_16BF ? 2 : 4;
}

static void need(const char *what, const void *p, const EmuLtLayout *l, uint64_t align)
{
    size_t off, n = ((l->cols - 1) * (size_t)l->ld + l->rows) * width(l->type);
    if ((uintptr_t)p % align)
        emu_die("cublas", {}, "%s: %p is not a multiple of the %d bytes that were promised", what,
                p, (int)align);
    if (!emu_global_find(p, n, &off))
        emu_die("cublas", {}, "%s: %zu bytes from %p are not inside a device allocation", what, n,
                p);
}

static float number(const void *p, cudaDataType_t type, size_t i)
{
    return type == CUDA_R_16BF ? (float)((const __nv_bfloat16 *)p)[i] : ((const float *)p)[i];
}

/* To 10 bits behind the point. */
static float tf32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x1000) & ~0x1fffu;
    memcpy(&x, &bits, sizeof bits);
    return x;
}

/* op(matrix) as f32, [rows, cols] row-major after the transposition. */
static std::vector<float> load(const void *p, const EmuLtLayout *l, bool turn, bool round)
{
    std::vector<float> v(l->rows * l->cols);
    for (size_t c = 0; c < l->cols; c++)
        for (size_t r = 0; r < l->rows; r++) {
            const float x = number(p, l->type, c * (size_t)l->ld + r);
            v[turn ? c * l->rows + r : r * l->cols + c] = round ? tf32(x) : x;
        }
    return v;
}

static void store(void *p, const EmuLtLayout *l, size_t r, size_t c, float v)
{
    const size_t i = c * (size_t)l->ld + r;
    if (l->type == CUDA_R_16BF)
        ((__nv_bfloat16 *)p)[i] = __nv_bfloat16(v);
    else
        ((float *)p)[i] = v;
}

static float gelu(float x)
{
    return x / (1 + expf(-2 * 0.79788456f * (x + 0.044715f * x * x * x)));
}

static float gelu_slope(float x)
{
    const float s = 1 / (1 + expf(-2 * 0.79788456f * (x + 0.044715f * x * x * x)));
    return s + 2 * 0.79788456f * x * s * (1 - s) * (1 + 3 * 0.044715f * x * x);
}

/* What the epilogue makes of v, which is D's number in row r and column c. */
static float finish(const EmuLtDesc &d, const EmuLtLayout &ld, size_t r, size_t c, float v)
{
    EmuLtLayout aux = ld;
    aux.ld = d.aux_ld;
    if (d.epilogue & CUBLASLT_EPILOGUE_BIAS)
        v += number(d.bias, ld.type, r);
    if (d.epilogue == CUBLASLT_EPILOGUE_GELU_AUX || d.epilogue == CUBLASLT_EPILOGUE_GELU_AUX_BIAS) {
        store((void *)d.aux, &aux, r, c, v);
        v = gelu(v);
    }
    if (d.epilogue == CUBLASLT_EPILOGUE_DGELU)
        v *= gelu_slope(number(d.aux, ld.type, c * (size_t)d.aux_ld + r));
    return v;
}

static void multiply(const EmuLtDesc &d, float alpha, const void *A, const EmuLtLayout &la,
                     const void *B, const EmuLtLayout &lb, float beta, void *D,
                     const EmuLtLayout &ld)
{
    const bool round = d.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
    const size_t m = ld.rows, n = ld.cols, k = d.ta ? la.rows : la.cols;
    const std::vector<float> a = load(A, &la, d.ta, round), b = load(B, &lb, d.tb, round);
    std::vector<float> old, row(n);
    if (beta != 0)                      /* beta 0: D may hold NaN, and is not read */
        old = load(D, &ld, false, false);
    for (size_t i = 0; i < m; i++) {
        std::fill(row.begin(), row.end(), 0.0f);
        for (size_t x = 0; x < k; x++)
            for (size_t j = 0; j < n; j++)
                row[j] += a[i * k + x] * b[x * n + j];
        for (size_t j = 0; j < n; j++) {
            const float v = alpha * row[j] + (beta != 0 ? beta * old[i * n + j] : 0);
            store(D, &ld, i, j, finish(d, ld, i, j, v));
        }
    }
    for (size_t j = 0; j < n && d.epilogue == CUBLASLT_EPILOGUE_BGRADB; j++) {
        float sum = 0;
        for (size_t x = 0; x < k; x++)
            sum += b[x * n + j];
        ((float *)d.bias)[j] = sum;
    }
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t d, const void *alpha,
                              const void *A, cublasLtMatrixLayout_t a, const void *B,
                              cublasLtMatrixLayout_t b, const void *beta, const void *C,
                              cublasLtMatrixLayout_t, void *D, cublasLtMatrixLayout_t out,
                              const cublasLtMatmulAlgo_t *algo, void *, size_t, cudaStream_t s)
{
    EMU_MAY_FAIL(CUBLAS_STATUS_EXECUTION_FAILED);
    const EmuLtDesc desc = *d;
    const EmuLtLayout la = *a, lb = *b, ld = *out;
    const float al = *(const float *)alpha, be = *(const float *)beta;
    const uint64_t k = d->ta ? la.rows : la.cols;
    if ((d->ta ? la.cols : la.rows) != ld.rows || (d->tb ? lb.rows : lb.cols) != ld.cols
        || (d->tb ? lb.cols : lb.rows) != k || C != D)
        emu_die("cublas", {}, "the shapes do not fit");
    need("A", A, a, algo->data[0]);
    need("B", B, b, algo->data[1]);
    need("D", D, out, algo->data[3]);
    const bool sums = desc.epilogue == CUBLASLT_EPILOGUE_BGRADB;
    if (sums && ld.type != CUDA_R_32F)
        emu_die("cublas", {}, "sums in bf16 are not what keel wants");
    if (sums || desc.epilogue & CUBLASLT_EPILOGUE_BIAS) {
        const uint64_t n = sums ? ld.cols : ld.rows;
        const EmuLtLayout bias = {ld.type, n, 1, (int64_t)n};
        need("bias", desc.bias, &bias, width(ld.type));
    }
    if (desc.epilogue & 128) {
        EmuLtLayout aux = ld;
        aux.ld = desc.aux_ld;
        if (aux.ld % 8 || aux.ld < (int64_t)ld.rows)
            emu_die("cublas", {}, "rows of AUX are %d numbers apart", (int)aux.ld);
        need("AUX", desc.aux, &aux, 16);
    }
    emu_enqueue(s, [=] { multiply(desc, al, A, la, B, lb, be, D, ld); });
    return CUBLAS_STATUS_SUCCESS;
}
