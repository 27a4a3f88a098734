/* matmul.c - matrix products by oneDNN (2.x and 3.x): the one file that calls it.
 *
 * Left to itself the library may cut k in as many parts as there are threads, and a sum then
 * depends on their number (seen at [64, 64] over 4096).  So c is cut into tiles by its shape
 * alone, and each tile is one call on one thread.  bf16 has no plain call: its product of each
 * shape is prepared once and kept. */
#include "kernels/matmul.h"
#include "base/base.h"
#include "kernels/onednn.h"
#include <omp.h>
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

/* What a bf16 product is prepared for. */
struct shape {
    int m, n, k, lda, ldb, ldc, turned_a, turned_b, add;
};

struct prepared {
    struct shape shape;
    dnnl_primitive_t product;       /* NULL: not to be had here */
    dnnl_memory_desc_t a, b, c;
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
static dnnl_status_t create(dnnl_primitive_desc_t *pd, layout *a, layout *b, layout *c,
                            dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t d;
    CHECK(dnnl_matmul_desc_init(&d, a, b, NULL, c));
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
static dnnl_status_t create(dnnl_primitive_desc_t *pd, layout *a, layout *b, layout *c,
                            dnnl_primitive_attr_t attr)
{
    return dnnl_matmul_primitive_desc_create(pd, engine, *a, *b, NULL, *c, attr);
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

static void prepare(struct prepared *p)
{
    const struct shape *s = &p->shape;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;

    p->a = describe(s->m, s->k, dnnl_bf16, s->turned_a ? 1 : s->lda, s->turned_a ? s->lda : 1);
    p->b = describe(s->k, s->n, dnnl_bf16, s->turned_b ? 1 : s->ldb, s->turned_b ? s->ldb : 1);
    p->c = describe(s->m, s->n, dnnl_f32, s->ldc, 1);
    CHECK(dnnl_primitive_attr_create(&attr));
    if (s->add) {
        dnnl_post_ops_t ops;
        CHECK(dnnl_post_ops_create(&ops));
        CHECK(append_sum(ops));
        CHECK(dnnl_primitive_attr_set_post_ops(attr, ops));
        dnnl_post_ops_destroy(ops);
    }
    if (create(&pd, &p->a, &p->b, &p->c, attr) == dnnl_success) {
        CHECK(dnnl_primitive_create(&p->product, pd));
        dnnl_primitive_desc_destroy(pd);
    }
    dnnl_primitive_attr_destroy(attr);
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

/* The part of q that computes c [i .. i + m, j .. j + n]. */
static struct matmul tile_of(const struct matmul *q, int i, int j, int m, int n)
{
    const size_t size = q->precision == PRECISION_BF16 ? 2 : 4;
    struct matmul t = *q;
    t.m = m, t.n = n;
    t.a.data = (const char *)q->a.data + size * (size_t)i * (q->a.turned ? 1 : (size_t)q->a.ld);
    t.b.data = (const char *)q->b.data + size * (size_t)j * (q->b.turned ? (size_t)q->b.ld : 1);
    t.c = q->c + (size_t)i * (size_t)q->ldc + j;
    t.bias = q->bias ? q->bias + j : NULL;
    return t;
}

static struct prepared *prepared_for(const struct matmul *q)
{
    return find(&(struct shape){q->m, q->n, q->k, q->a.ld, q->b.ld, q->ldc, q->a.turned,
                                q->b.turned, q->add || q->bias});
}

static dnnl_memory_t memory(layout l, const void *data)
{
    dnnl_memory_t m;
    CHECK(dnnl_memory_create(&m, LAYOUT(l), engine, (void *)(uintptr_t)data));
    return m;
}

static void run_tile(const struct matmul *q, const struct prepared *p)
{
    for (int i = 0; q->bias && i < q->m; i++)
        memcpy(q->c + (size_t)i * (size_t)q->ldc, q->bias, (size_t)q->n * sizeof *q->c);
    if (q->precision == PRECISION_F32) {
        CHECK(dnnl_sgemm(q->a.turned ? 'T' : 'N', q->b.turned ? 'T' : 'N', q->m, q->n, q->k, 1,
                         q->a.data, q->a.ld, q->b.data, q->b.ld, q->add || q->bias ? 1 : 0,
                         q->c, q->ldc));
        return;
    }
    const dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, memory(p->a, q->a.data)}, {DNNL_ARG_WEIGHTS, memory(p->b, q->b.data)},
        {DNNL_ARG_DST, memory(p->c, q->c)},
    };
    CHECK(dnnl_primitive_execute(p->product, stream, 3, args));
    CHECK(dnnl_stream_wait(stream));
    for (int i = 0; i < 3; i++)
        dnnl_memory_destroy(args[i].memory);
}

/* Rows and columns of a tile: large enough for full speed, small enough to share out. */
static int tile_rows(const struct matmul *q)
{
    const int quarter = (q->m + 255) / 256 * 64;
    return quarter < 512 ? quarter : 512;
}
enum { TILE_COLS = 384 };

int matmul_run(const struct matmul *q)
{
    const int rows = tile_rows(q), across = (q->n + TILE_COLS - 1) / TILE_COLS;
    const int tiles = (q->m + rows - 1) / rows * across, threads = omp_get_max_threads();
    struct prepared p[2][2] = {0};      /* for whole tiles, and those at the edges */
    int possible = 1;

    omp_set_num_threads(1);
    for (int e = 0; q->precision == PRECISION_BF16 && e < 4; e++) {
        const int m = e / 2 ? q->m % rows : rows, n = e % 2 ? q->n % TILE_COLS : TILE_COLS;
        const struct matmul t = tile_of(q, 0, 0, m, n);
        if (m && n && m <= q->m && n <= q->n)
            p[e / 2][e % 2] = *prepared_for(&t);
        possible &= !m || !n || m > q->m || n > q->n || p[e / 2][e % 2].product;
    }
    omp_set_num_threads(threads);
    if (!possible)
        return 0;
    #pragma omp parallel if (tiles > 1)
    {
        omp_set_num_threads(1);         /* what is called here, even where this is one thread */
        #pragma omp for schedule(dynamic)
        for (int tile = 0; tile < tiles; tile++) {
            const int i = tile / across * rows, j = tile % across * TILE_COLS;
            const int m = q->m - i < rows ? q->m - i : rows;
            const int n = q->n - j < TILE_COLS ? q->n - j : TILE_COLS;
            const struct matmul t = tile_of(q, i, j, m, n);
            run_tile(&t, &p[m < rows][n < TILE_COLS]);
        }
    }
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
    if ((double)q->m * q->n * q->k < 40000 || (q->b.turned && q->k <= 512))
        return 0;                       /* measured: bench/engine.c's sizes, one thread */
    if (!tested) {
        tested = 1;
        usable[PRECISION_F32] = passes(PRECISION_F32);
        usable[PRECISION_BF16] = has_amx() && passes(PRECISION_BF16);
        if (!usable[PRECISION_F32])
            warn("oneDNN gives wrong products on this machine; using slower ones");
    }
    return usable[q->precision];
}
