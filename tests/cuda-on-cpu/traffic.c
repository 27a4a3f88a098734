/* traffic - runs each memory-bound kernel once at a size in use and prints the least bytes that
 * it must move: what it reads and writes, each once.  traffic.bats sets that beside what the
 * emulator counted (EMU_PROFILE). */
#include "base/base.h"
#include "tests/host_face.h"
#include <stdio.h>

enum { ROWS = 64, COLS = 768, VOCAB = 4096, N = 100000, F = sizeof(float) };

static const struct backend *be;
static enum storage inside;     /* of values inside sub-layers, in this round */

static struct tensor *device(int rows, int cols)
{
    struct tensor *t = zalloc(1, sizeof *t);
    *t = (struct tensor){.rows = rows, .cols = cols, .ld = cols};
    t->data = be->alloc(tensor_size(t));
    t->grad = be->alloc(tensor_size(t));
    return t;
}

static struct tensor *inner(int rows, int cols)
{
    struct tensor *t = device(rows, cols);
    t->storage = inside;
    return t;
}

/* A kernel, and with bf16 inside its template's arguments. */
static void least(const char *kernel, const char *bf16, double bytes)
{
    if (inside == STORAGE_BF16)
        printf("%s<%s>\t%.0f\n", kernel, bf16, bytes);
    else
        printf("%s\t%.0f\n", kernel, bytes);
}

static void elementwise(void)
{
    static const char four[] = "4, __nv_bfloat16";
    struct tensor *x = inner(ROWS, COLS), *y = inner(ROWS, COLS), *draw = device(1, 4);
    struct tensor *from = device(ROWS, COLS), *to = device(ROWS, COLS);
    const double all = ROWS * COLS * F, part = inside == STORAGE_BF16 ? all / 2 : all;
    const int words[] = {7, 0, 1, 1};
    be->put(draw->data, words, sizeof words);
    from->grad = inside == STORAGE_BF16 ? NULL : from->grad;
    const struct residual_args r = {from, x, to, 0.5f};
    be->residual_forward(&r);
    be->residual_backward(&r);      /* one launch for each input */
    least("residual_forward", four, 2 * all + part);
    least("residual_backward", four, (all + 2 * part) * (from->grad ? 2 : 1));
    const struct scale_args s = {x, device(1, 1), y};
    be->scale_forward(&s);
    be->scale_backward(&s);
    least("scale_apply", four, 5 * part);
    least("product_partial", "__nv_bfloat16", 2 * part);
    const struct activation_args a = {x, y, ACTIVATION_GELU};
    be->activation_forward(&a);
    be->activation_backward(&a);
    least("activation_forward", four, 2 * part);
    least("activation_backward", four, 4 * part);
    const struct dropout_args d = {x, draw, y, 0.1f, 5};
    be->dropout_forward(&d);
    be->dropout_backward(&d);
    least("dropout_apply", four, 5 * part);
}

/* In bf16 with the residual step that gives x. */
static void norm(void)
{
    static const char types[] = "4, float, __nv_bfloat16, __nv_bfloat16";
    struct tensor *x = device(ROWS, COLS), *y = inner(ROWS, COLS), *stats = device(ROWS, 2);
    struct tensor *gain = device(1, COLS), *bias = device(1, COLS), *f = inner(ROWS, COLS);
    const int joined = inside == STORAGE_BF16;
    const double all = ROWS * COLS * F, row = COLS * F, column = ROWS * F;
    const double part = joined ? all / 2 : all, sum = joined ? all + part : 0;
    const struct residual_args r = {device(ROWS, COLS), f, x, 0.5f};
    const struct norm_args n = {x, gain, bias, y, stats, 1e-5f, 1, joined ? &r : NULL};
    be->norm_forward(&n);
    be->norm_backward(&n);
    least("norm_forward", types, all + part + 2 * row + 2 * column + sum);
    least("norm_backward", types, 3 * all + part + row + 2 * column + (joined ? 2 * part : 0));
    least(joined ? "column_partials" : "column_partials<norm_columns<float, float> >",
          "norm_columns<float, __nv_bfloat16> ", all + part + 2 * row + 2 * column);
}

static void head(void)
{
    const double size = inside == STORAGE_BF16 ? 2 : 4;
    struct tensor *logits = inner(ROWS, VOCAB), *loss = device(ROWS, 1);
    struct tensor *targets = device(ROWS, 1), *lse = device(ROWS, 1), *best = device(ROWS, 1);
    struct tensor *part = inner(ROWS, VOCAB), *weight = device(VOCAB, 16);
    struct tensor *narrow = inner(ROWS, 16);
    const struct head_args e = {
        .x = narrow, .weight = weight, .targets = targets, .logits = logits, .part = part,
        .state = device(ROWS, 4), .loss = loss, .lse = lse, .best = best,
        .precision = inside == STORAGE_BF16 ? PRECISION_BF16 : PRECISION_F32,
    };
    be->head_forward(&e);
    be->head_backward(&e);
    least("head_rows", "4, __nv_bfloat16", (double)ROWS * VOCAB * size);
    least("head_gradient", "4, __nv_bfloat16", 2.0 * ROWS * VOCAB * size);
}

/* Not in sub-layers. */
static void embedding(void)
{
    struct tensor *y = device(ROWS, COLS);
    struct tensor *ids = device(ROWS, 1), *token = device(ROWS, COLS), *place = device(ROWS, COLS);
    int number[ROWS];
    for (int i = 0; i < ROWS; i++)
        number[i] = i;
    be->put(ids->data, number, sizeof number);
    const struct embed_args m = {.ids = ids, .token = token, .position = place, .y = y,
                                 .time = ROWS, .scale = 1};
    be->embed_forward(&m);
    least("embed_forward", "", 3.0 * ROWS * COLS * F);
}

/* The half of a reduction that reads the rows. */
static void least_rows(const char *of, const char *f32, const char *bf16, double bytes)
{
    printf("row_results<%s<%s> >\t%.0f\n", of, inside == STORAGE_BF16 ? bf16 : f32, bytes);
}

static void reductions(void)
{
    static const char one[] = "float", both[] = "float, float", narrow[] = "__nv_bfloat16";
    static const char mixed[] = "float, __nv_bfloat16";
    struct tensor *x = device(ROWS, COLS), *f = inner(ROWS, COLS), *to = device(ROWS, 64);
    struct tensor *gain = device(1, COLS), *bias = device(1, COLS), *means = device(ROWS, 2 * COLS);
    const struct norm_args n = {.x = x, .gain = gain, .bias = bias, .y = f, .eps = 1, .center = 1};
    const struct sequences all = {1, ROWS};
    const double size = ROWS * COLS * F, part = inside == STORAGE_BF16 ? size / 2 : size;
    be->sums(x, f, all, (struct sums *)(void *)to->data);
    be->welford(f, all, 0, (double *)(void *)means->data, (struct welford *)(void *)to->data);
    be->ellipsoid(&n, all, (struct ellipsoid *)(void *)to->data);
    be->support(f, gain, bias, all, (double *)(void *)to->data);
    least_rows("sums_of_row", both, mixed, size + part + ROWS * sizeof(struct sums));
    least_rows("welford_of_row", one, narrow, part + 4 * size + ROWS * sizeof(struct welford));
    least_rows("ellipsoid_of_row", both, mixed,
               size + part + 2 * COLS * F + ROWS * sizeof(struct ellipsoid));
    least_rows("support_of_row", one, narrow, part + 2 * COLS * F + ROWS * sizeof(double));
}

static void optimisers(void)
{
    struct tensor *w = device(1, N), *m = device(1, N);
    struct tensor *now = device(1, sizeof(struct update) / sizeof(float)), *sum = device(1, 2);
    be->adam(&(struct adam_args){w->data, m->data, m->grad, w->grad, N, 0.9f, 0.95f, 1e-8f, 0.1f,
                                 (const struct update *)(const void *)now->data,
                                 (uint16_t *)(void *)device(1, N)->data});
    least("adam_update", "", 7.5 * N * F);
    be->sum_squares(w->grad, N, (double *)(void *)sum->data);
    least("sum_partial<square>", "", 1.0 * N * F);
}

/* Not bound by memory: run for the shape of its launches, which `figures` reads. */
static void attention(void)
{
    static const int widths[] = {32, 64, 80, 128, 160};
    enum { TIME = 16 };
    for (int i = 0; i < 5; i++)
        for (int kind = 0; kind < 4; kind++) {
            const int c = widths[i];
            inside = kind / 2 ? STORAGE_BF16 : STORAGE_F32;
            struct attention_args a = {
                .q = inner(TIME, c), .k = inner(TIME, c), .v = inner(TIME, c),
                .y = inner(TIME, c), .lse = device(TIME, 1), .heads = 1, .tq = TIME, .tk = TIME,
                .causal = 1, .precision = kind % 2 ? PRECISION_BF16 : PRECISION_F32};
            be->attention_forward(&a);
            be->attention_backward(&a);
        }
}

int main(void)
{
    program = "traffic";
    be = backend_open("cuda", NULL);
    embedding();
    optimisers();
    for (inside = STORAGE_F32; inside <= STORAGE_BF16; inside++) {
        elementwise();
        norm();
        head();
        reductions();
    }
    attention();
    return finish();
}
