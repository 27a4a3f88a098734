/* roofline - an estimate of a training step of GPT-2's sizes on an H200, from their plans: each
 * launch takes as long as its operations or its bytes at the chip's limits, whichever is longer,
 * launches one after the other.  No kernel is run: nothing here was measured.
 *
 * Limits: NVIDIA's datasheet of the H200, 989 TFLOP/s dense bf16 with f32 sums, 67 TFLOP/s f32
 * outside the tensor cores, 4.8 TB/s.  A step is paper A's: 40 passes of 6 windows of 1,024
 * tokens.  Bytes are those that launches must move, each operand once; traffic.bats holds the
 * kernels to 1.1 times as many. */
#include "base/base.h"
#include "graph/plan_inside.h"
#include "learn/learner.h"
#include <math.h>
#include <stdio.h>

static const double TENSOR_FLOPS = 989e12, VECTOR_FLOPS = 67e12, BYTES = 4.8e12;
enum { BATCH = 6, PASSES = 40, TIME = 1024, VOCAB = 50304 };
enum class_of_work { PRODUCTS, ATTENTION, NORMS, ELEMENTWISE, HEAD, OPTIMISER, CLASSES };
static const char *const class_names[] = {"products", "attention", "norms", "elementwise",
                                          "head's rows", "optimiser"};

struct sums {
    double flops, bytes, seconds;
};
static struct sums sums[CLASSES];

/* One launch, `times` in a step. */
static void launch(enum class_of_work c, double times, double flops, double limit, double bytes)
{
    sums[c].flops += times * flops;
    sums[c].bytes += times * bytes;
    sums[c].seconds += times * fmax(flops / limit, bytes / BYTES);
}

static double bytes_of(const struct tensor *t)
{
    return t ? 4.0 * (double)tensor_size(t) : 0;
}

static int learns(const struct tensor *t)
{
    return t && (t->kind == TENSOR_VALUE || t->kind == TENSOR_PARAM);
}

/* What a gradient of input k costs: stored, or added to what is there, as a parameter's is in
 * all passes but the first. */
static double gradient_bytes(const struct step *s, int k)
{
    const struct tensor *t = operands(s)[k];
    const int stored = t && t->kind == TENSOR_VALUE && s->stores >> k & 1;
    return !learns(t) ? 0 : stored ? bytes_of(t) : 2 * bytes_of(t);
}

/* y = x weight': forward, then the gradients of both, a product each. */
static void products(const struct step *s, struct tensor *x, struct tensor *weight, double y)
{
    const double flops = 2.0 * (double)tensor_size(x) * weight->rows;
    launch(PRODUCTS, PASSES, flops, TENSOR_FLOPS, bytes_of(x) + bytes_of(weight) + y);
    if (learns(x))
        launch(PRODUCTS, PASSES, flops, TENSOR_FLOPS, y + bytes_of(weight) + gradient_bytes(s, 0));
    launch(PRODUCTS, PASSES, flops, TENSOR_FLOPS, y + bytes_of(x) + gradient_bytes(s, 1));
}

/* Forward two products, backward five and two of them again: the scores are computed anew for
 * the gradients of q and of k and v.  delta is the sum of y dy by row. */
static void attention(const struct step *s)
{
    const struct attention_args *a = &s->u.attention;
    const double flops = step_flops(s), q = bytes_of(a->q), k = bytes_of(a->k), y = bytes_of(a->y);
    const double limit = a->precision == PRECISION_BF16 ? TENSOR_FLOPS : VECTOR_FLOPS;
    launch(ATTENTION, PASSES, flops, limit, q + 2 * k + y);
    launch(ATTENTION, PASSES, 0, limit, 2 * y);
    launch(ATTENTION, PASSES, 1.5 * flops, limit, q + 2 * k + y + gradient_bytes(s, 0));
    launch(ATTENTION, PASSES, 2 * flops, limit, q + 2 * k + y + 2 * k);
}

/* Both passes of an operation whose launches read and write each operand once. */
static void once_each(const struct step *s, enum class_of_work c)
{
    const struct op_shape *shape = &op_shapes[s->op];
    double there = 0, back = 0;
    for (int i = 0; i < shape->in + shape->out; i++) {
        struct tensor *t = operands(s)[i];
        there += bytes_of(t);
        back += shape->keep >> i & 1 ? bytes_of(t) : 0;
        if (i >= shape->in)
            back += learns(t) ? bytes_of(t) : 0;
        else if (!(s->op == OP_residual && i == 0 && s->u.residual.x->before))
            back += gradient_bytes(s, i);
    }
    launch(c, PASSES, 0, 1, there);
    launch(c, PASSES, 0, 1, back);
}

static void count(const struct step *s)
{
    switch (s->op) {
    case OP_linear:
        products(s, s->u.linear.x, s->u.linear.weight, bytes_of(s->u.linear.y));
        break;
    case OP_head:                   /* logits: written; read for the loss; read and a part of
                                       their gradient written and read twice */
        products(s, s->u.head.x, s->u.head.weight, bytes_of(s->u.head.logits));
        launch(HEAD, PASSES, 0, 1, bytes_of(s->u.head.logits));
        launch(HEAD, PASSES, 0, 1, 2 * bytes_of(s->u.head.logits));
        break;
    case OP_attention: attention(s); break;
    case OP_norm: once_each(s, NORMS); break;
    default: once_each(s, ELEMENTWISE); break;
    }
}

static void row(const char *model, const char *name, const struct sums *s)
{
    const char *limit = s->flops / TENSOR_FLOPS > 0.5 * s->seconds ? "operations" : "bytes";
    printf("| %s | %s | %.1f | %.0f | %.1f | %s |\n", model, name, s->flops / 1e12, s->bytes / 1e9,
           1e3 * s->seconds, limit);
}

static void estimate(const struct backend *be, const char *name, int layers, int width, int heads)
{
    struct model_config cfg = model_defaults;
    const struct learn_config learn = {.batch = BATCH, .accumulate = PASSES};
    const double tokens = (double)BATCH * PASSES * TIME;
    struct sums all = {0};

    cfg.layers = layers, cfg.width = width, cfg.heads = heads, cfg.context = TIME;
    cfg.vocab = VOCAB, cfg.precision = cfg.attention_precision = PRECISION_BF16;
    struct model *m = learner_model(be, &cfg, &learn);
    plan_layout(m->plan);
    for (int c = 0; c < CLASSES; c++)
        sums[c] = (struct sums){0};
    for (size_t i = 0; i < m->plan->n_steps; i++)
        count(&m->plan->steps[i]);
    launch(OPTIMISER, 1, 0, 1, 4.0 * (double)m->plan->param_floats);        /* the norm */
    launch(OPTIMISER, 1, 0, 1, 28.0 * (double)m->plan->param_floats);
    for (int c = 0; c < CLASSES; c++) {
        row(name, class_names[c], &sums[c]);
        all.flops += sums[c].flops;
        all.bytes += sums[c].bytes;
        all.seconds += sums[c].seconds;
    }
    row(name, "**all**", &all);
    printf("| %s | tokens a second | | | %.0f | |\n", name, tokens / all.seconds);
    model_free(m);
}

int main(void)
{
    program = "roofline";
    const struct backend *be = backend_open("cuda", NULL);
    puts("| model | launches | TFLOP | GB | ms | limit |\n|---|---|---|---|---|---|");
    estimate(be, "124M", 12, 768, 12);
    estimate(be, "774M", 36, 1280, 20);
    estimate(be, "1.5B", 48, 1600, 25);
    return finish();
}
