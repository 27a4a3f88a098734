/* matmul.c - matrix products by oneDNN (2.x and 3.x): the one file that calls it.
 *
 * A product of each shape is prepared once and kept. */
#include "kernels/matmul.h"
#include "base/base.h"
#include <omp.h>
#include <cpuid.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

/* What the library specialises on. */
struct shape {
    int precision, threads, m, n, k, lda, ldb, ldc, turned_a, turned_b, bias, add;
};

struct prepared {
    struct shape shape;
    dnnl_primitive_t product;       /* NULL: not to be had here */
    dnnl_memory_t a, b, c, bias;
};

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static struct prepared *table;      /* open addressing; a power of two, at most half full */
static size_t slots, used;

static void check(dnnl_status_t status, const char *what)
{
    if (status != dnnl_success)
        die("oneDNN: %s failed (status %d)", what, (int)status);
}
#define CHECK(call) check(call, #call)

#if DNNL_VERSION_MAJOR < 3
typedef dnnl_memory_desc_t layout;
#define LAYOUT(l) (&(l))
static layout describe(int rows, int cols, dnnl_data_type_t type, int row_step, int col_step)
{
    layout l;
    const dnnl_dims_t dims = {rows, cols}, steps = {row_step, col_step};
    CHECK(dnnl_memory_desc_init_by_strides(&l, 2, dims, type, steps));
    return l;
}
static void forget(layout l) { (void)l; }
static dnnl_status_t create(dnnl_primitive_desc_t *pd, layout *a, layout *b, layout *bias,
                            layout *c, dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t d;
    CHECK(dnnl_matmul_desc_init(&d, a, b, bias, c));
    return dnnl_primitive_desc_create(pd, &d, attr, engine, NULL);
}
static dnnl_status_t append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1);
}
#else
typedef dnnl_memory_desc_t layout;      /* a pointer from 3.0 on */
#define LAYOUT(l) (l)
static layout describe(int rows, int cols, dnnl_data_type_t type, int row_step, int col_step)
{
    layout l;
    const dnnl_dims_t dims = {rows, cols}, steps = {row_step, col_step};
    CHECK(dnnl_memory_desc_create_with_strides(&l, 2, dims, type, steps));
    return l;
}
static void forget(layout l) { dnnl_memory_desc_destroy(l); }
static dnnl_status_t create(dnnl_primitive_desc_t *pd, layout *a, layout *b, layout *bias,
                            layout *c, dnnl_primitive_attr_t attr)
{
    return dnnl_matmul_primitive_desc_create(pd, engine, *a, *b, bias ? *bias : NULL, *c, attr);
}
static dnnl_status_t append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef);
}
#endif

static void start(void)
{
    slots = 64;
    table = zalloc(slots, sizeof *table);
    CHECK(dnnl_engine_create(&engine, dnnl_cpu, 0));
    CHECK(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
}

static dnnl_memory_t handle(layout l)
{
    dnnl_memory_t m;
    CHECK(dnnl_memory_create(&m, LAYOUT(l), engine, DNNL_MEMORY_NONE));
    return m;
}

static void prepare(struct prepared *p)
{
    const struct shape *s = &p->shape;
    const dnnl_data_type_t type = s->precision == PRECISION_BF16 ? dnnl_bf16 : dnnl_f32;
    layout a = describe(s->m, s->k, type, s->turned_a ? 1 : s->lda, s->turned_a ? s->lda : 1);
    layout b = describe(s->k, s->n, type, s->turned_b ? 1 : s->ldb, s->turned_b ? s->ldb : 1);
    layout c = describe(s->m, s->n, dnnl_f32, s->ldc, 1);
    layout bias = describe(1, s->n, dnnl_f32, s->n, 1);
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;

    CHECK(dnnl_primitive_attr_create(&attr));
    if (s->add) {
        dnnl_post_ops_t ops;
        CHECK(dnnl_post_ops_create(&ops));
        CHECK(append_sum(ops));
        CHECK(dnnl_primitive_attr_set_post_ops(attr, ops));
        dnnl_post_ops_destroy(ops);
    }
    if (create(&pd, &a, &b, s->bias ? &bias : NULL, &c, attr) == dnnl_success) {
        CHECK(dnnl_primitive_create(&p->product, pd));
        dnnl_primitive_desc_destroy(pd);
        p->a = handle(a);
        p->b = handle(b);
        p->c = handle(c);
        p->bias = handle(bias);
    }
    dnnl_primitive_attr_destroy(attr);
    forget(a), forget(b), forget(c), forget(bias);
}

static int usable[2];               /* by precision: passed the self-test */

static struct prepared *slot_of(const struct shape *s)
{
    uint64_t h = 1469598103934665603u;
    const int *word = (const int *)s;
    for (size_t i = 0; i < sizeof *s / sizeof *word; i++)
        h = (h ^ (uint64_t)(unsigned)word[i]) * 1099511628211u;
    size_t at = (h >> 20) & (slots - 1);
    while (table[at].shape.m && memcmp(&table[at].shape, s, sizeof *s))
        at = (at + 1) & (slots - 1);
    return &table[at];
}

static void grow_table(void)
{
    struct prepared *old = table;
    const size_t n = slots;
    slots *= 2;
    table = zalloc(slots, sizeof *table);
    for (size_t i = 0; i < n; i++)
        if (old[i].shape.m)
            *slot_of(&old[i].shape) = old[i];
    free(old);
}

static struct prepared *find(const struct shape *s)
{
    if (!slots)
        start();
    struct prepared *p = slot_of(s);
    if (p->shape.m)
        return p;
    if (2 * ++used > slots) {
        grow_table();
        p = slot_of(s);
    }
    p->shape = *s;
    prepare(p);
    return p;
}

int matmul_run(const struct matmul *q)
{
    const struct shape s = {
        q->precision, omp_get_max_threads(), q->m, q->n, q->k, q->a.ld, q->b.ld, q->ldc,
        q->a.turned, q->b.turned, q->bias != NULL, q->add,
    };
    struct prepared *p = find(&s);
    if (!p->product)
        return 0;
    dnnl_memory_set_data_handle(p->a, (void *)(uintptr_t)q->a.data);
    dnnl_memory_set_data_handle(p->b, (void *)(uintptr_t)q->b.data);
    dnnl_memory_set_data_handle(p->c, q->c);
    dnnl_memory_set_data_handle(p->bias, (void *)(uintptr_t)q->bias);
    const dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, p->a}, {DNNL_ARG_WEIGHTS, p->b}, {DNNL_ARG_DST, p->c},
        {DNNL_ARG_BIAS, p->bias},
    };
    CHECK(dnnl_primitive_execute(p->product, stream, q->bias ? 4 : 3, args));
    CHECK(dnnl_stream_wait(stream));
    return 1;
}

/* A ragged product with every switch against a plain loop.  The numbers are small whole ones:
 * exact in both precisions. */
static int passes(enum precision precision)
{
    enum { M = 37, N = 50, K = 96 };
    static float a[K * M], b[N * K], c[M * N], want[M * N];
    static unsigned short a16[K * M], b16[N * K];
    const int bf16 = precision == PRECISION_BF16;

    for (int i = 0; i < K * M; i++)
        a[i] = (float)(i * 7 % 11 - 5);
    for (int i = 0; i < N * K; i++)
        b[i] = (float)(i * 5 % 13 - 6);
    for (int i = 0; i < M * N; i++)
        c[i] = want[i] = (float)(i % 3);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            for (int p = 0; p < K; p++)
                want[i * N + j] += a[p * M + i] * b[j * K + p];
    for (int i = 0; bf16 && i < K * M; i++)
        memcpy(&a16[i], (char *)&a[i] + 2, 2);
    for (int i = 0; bf16 && i < N * K; i++)
        memcpy(&b16[i], (char *)&b[i] + 2, 2);
    return matmul_run(&(struct matmul){
        .precision = precision, .m = M, .n = N, .k = K, .a = {bf16 ? (void *)a16 : a, M, 1},
        .b = {bf16 ? (void *)b16 : b, K, 1}, .c = c, .ldc = N, .add = 1,
    }) && !memcmp(c, want, sizeof c);
}

/* Tile units multiply bf16 at many times the rate of vectors. */
static int has_amx(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1);
}

int matmul_wins(const struct matmul *q)
{
    static int tested;
    if ((double)q->m * q->n * q->k < 40000)
        return 0;
    if (!tested) {
        tested = 1;
        usable[PRECISION_F32] = passes(PRECISION_F32);
        usable[PRECISION_BF16] = has_amx() && passes(PRECISION_BF16);
        if (!usable[PRECISION_F32])
            warn("oneDNN gives wrong products on this machine; using slower ones");
    }
    return usable[q->precision];
}
