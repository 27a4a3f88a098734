/* traffic - runs each memory-bound kernel once at a size in use and prints the least bytes that
 * it must move: what it reads and writes, each once.  traffic.bats sets that beside what the
 * emulator counted (EMU_PROFILE). */
#include "base/base.h"
#include "tests/host_face.h"
#include <stdio.h>

enum { ROWS = 64, COLS = 768, VOCAB = 4096, N = 100000, F = sizeof(float) };

static const struct backend *be;

static struct tensor *device(int rows, int cols)
{
    struct tensor *t = zalloc(1, sizeof *t);
    *t = (struct tensor){.rows = rows, .cols = cols, .ld = cols};
    t->data = be->alloc(tensor_size(t));
    t->grad = be->alloc(tensor_size(t));
    return t;
}

static void least(const char *kernel, double bytes)
{
    printf("%s\t%.0f\n", kernel, bytes);
}

static void elementwise(void)
{
    struct tensor *x = device(ROWS, COLS), *f = device(ROWS, COLS), *y = device(ROWS, COLS);
    struct tensor *draw = device(1, 4);
    const double all = ROWS * COLS * F;
    const int words[] = {7, 0, 1, 1};
    be->put(draw->data, words, sizeof words);
    const struct residual_args r = {x, f, y, 0.5f};
    be->residual_forward(&r);
    be->residual_backward(&r);
    least("residual_forward", 3 * all);
    least("residual_backward", 2 * 3 * all);        /* one launch for each input */
    const struct scale_args s = {x, device(1, 1), y};
    be->scale_forward(&s);
    be->scale_backward(&s);
    least("scale_apply", 2 * all + 3 * all);
    least("product_partial", 2 * all);
    const struct activation_args a = {x, y, ACTIVATION_GELU};
    be->activation_forward(&a);
    be->activation_backward(&a);
    least("activation_forward", 2 * all);
    least("activation_backward", 4 * all);
    const struct dropout_args d = {x, draw, y, 0.1f, 5};
    be->dropout_forward(&d);
    be->dropout_backward(&d);
    least("dropout_apply", 2 * all + 3 * all);
}

static void by_row(void)
{
    struct tensor *x = device(ROWS, COLS), *y = device(ROWS, COLS), *stats = device(ROWS, 2);
    struct tensor *gain = device(1, COLS), *bias = device(1, COLS);
    const double all = ROWS * COLS * F, row = COLS * F, column = ROWS * F;
    const struct norm_args n = {x, gain, bias, y, stats, 1e-5f, 1, NULL};
    be->norm_forward(&n);
    be->norm_backward(&n);
    least("norm_forward", 2 * all + 2 * row + 2 * column);
    least("norm_backward", 4 * all + row + 2 * column);
    least("column_partials<norm_columns>", 2 * all + 2 * row + 2 * column);

    struct tensor *logits = device(ROWS, VOCAB), *loss = device(ROWS, 1);
    struct tensor *targets = device(ROWS, 1), *lse = device(ROWS, 1), *best = device(ROWS, 1);
    struct tensor *part = device(ROWS, VOCAB), *weight = device(VOCAB, 16);
    struct tensor *narrow = device(ROWS, 16);
    const struct head_args e = {
        .x = narrow, .weight = weight, .targets = targets, .logits = logits, .part = part,
        .state = device(ROWS, 4), .loss = loss, .lse = lse, .best = best,
    };
    be->head_forward(&e);
    be->head_backward(&e);
    least("head_rows", (double)ROWS * VOCAB * F);
    least("head_gradient", 2.0 * ROWS * VOCAB * F);

    struct tensor *ids = device(ROWS, 1), *token = device(ROWS, COLS), *place = device(ROWS, COLS);
    int number[ROWS];
    for (int i = 0; i < ROWS; i++)
        number[i] = i;
    be->put(ids->data, number, sizeof number);
    const struct embed_args m = {.ids = ids, .token = token, .position = place, .y = y,
                                 .time = ROWS, .scale = 1};
    be->embed_forward(&m);
    least("embed_forward", 3 * all);
}

static void optimisers(void)
{
    struct tensor *w = device(1, N), *m = device(1, N);
    struct tensor *now = device(1, sizeof(struct update) / sizeof(float)), *sum = device(1, 2);
    be->adam(&(struct adam_args){w->data, m->data, m->grad, w->grad, N, 0.9f, 0.95f, 1e-8f, 0.1f,
                                 (const struct update *)(const void *)now->data, NULL});
    least("adam_update", 7.0 * N * F);
    be->sum_squares(w->grad, N, (double *)(void *)sum->data);
    least("sum_partial<square>", 1.0 * N * F);
}

/* Not bound by memory: run for the shape of its launches, which `figures` reads. */
static void attention(void)
{
    static const int widths[] = {32, 64, 80, 128, 160};
    enum { TIME = 16 };
    for (int i = 0; i < 5; i++)
        for (enum precision p = PRECISION_F32; p <= PRECISION_BF16; p++) {
            const int c = widths[i];
            struct attention_args a = {
                .q = device(TIME, c), .k = device(TIME, c), .v = device(TIME, c),
                .y = device(TIME, c), .lse = device(TIME, 1), .heads = 1, .tq = TIME, .tk = TIME,
                .causal = 1, .precision = p};
            be->attention_forward(&a);
            be->attention_backward(&a);
        }
}

int main(void)
{
    program = "traffic";
    be = backend_open("cuda", NULL);
    elementwise();
    by_row();
    optimisers();
    attention();
    return finish();
}
