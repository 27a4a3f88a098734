/* roofline - an estimate of a training step of GPT-2's sizes on an H200, from their plans: each
 * launch takes as long as its operations or its bytes at the chip's limits, whichever is longer,
 * launches one after the other.  No kernel is run: nothing here was measured.
 *
 * Limits: NVIDIA's datasheet of the H200, 989 TFLOP/s dense bf16 with f32 sums, 4.8 TB/s.  A step
 * is 40 passes of 6 windows of 1,024 tokens, as Kan et al. (2025) train.  Bytes are those that
 * launches must move, each operand once; traffic.bats holds kernels to 1.1 times as many. */
#include "base/base.h"
#include "graph/plan_inside.h"
#include "learn/learner.h"
#include <math.h>
#include <stdio.h>

static const double TENSOR_FLOPS = 989e12, BYTES = 4.8e12;
enum { BATCH = 6, PASSES = 40, TIME = 1024, VOCAB = 50304 };
enum class_of_work { PRODUCTS, ATTENTION, NORMS, ELEMENTWISE, HEAD, OPTIMISER, CLASSES };
static const char *const class_names[] = {"products", "attention", "norms", "elementwise",
                                          "head's rows", "optimiser"};

struct total {
    double flops, bytes, seconds;
};
static struct total totals[CLASSES];

/* One launch, `times` in a step. */
static void launch(enum class_of_work c, double times, double flops, double limit, double bytes)
{
    totals[c].flops += times * flops;
    totals[c].bytes += times * bytes;
    totals[c].seconds += times * fmax(flops / limit, bytes / BYTES);
}

static double bytes_of(const struct tensor *t)
{
    return t ? (t->storage == STORAGE_BF16 ? 2.0 : 4.0) * (double)tensor_size(t) : 0;
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

/* y = x weight': forward, or the gradients of both, a product each.  Weights are read as bf16. */
static void products(const struct step *s, struct tensor *x, struct tensor *weight, double y,
                     int back)
{
    const double flops = 2.0 * (double)tensor_size(x) * weight->rows;
    const double read = 2.0 * (double)tensor_size(weight);
    if (!back) {
        launch(PRODUCTS, PASSES, flops, TENSOR_FLOPS, bytes_of(x) + read + y);
        return;
    }
    if (learns(x))
        launch(PRODUCTS, PASSES, flops, TENSOR_FLOPS, y + read + gradient_bytes(s, 0));
    launch(PRODUCTS, PASSES, flops, TENSOR_FLOPS, y + bytes_of(x) + gradient_bytes(s, 1));
}

/* Forward two products, backward five and two of them again: the scores are computed anew for
 * the gradients of q and of k and v.  delta is the sum of y dy by row. */
static void attention(const struct step *s, int back)
{
    const struct attention_args *a = &s->u.attention;
    const double flops = step_flops(s), q = bytes_of(a->q), k = bytes_of(a->k), y = bytes_of(a->y);
    if (!back) {
        launch(ATTENTION, PASSES, flops, TENSOR_FLOPS, q + 2 * k + y);
        return;
    }
    launch(ATTENTION, PASSES, 0, TENSOR_FLOPS, 2 * y);
    launch(ATTENTION, PASSES, 1.5 * flops, TENSOR_FLOPS, q + 2 * k + y + gradient_bytes(s, 0));
    launch(ATTENTION, PASSES, 2 * flops, TENSOR_FLOPS, q + 2 * k + y + 2 * k);
}

/* An operation whose launches read and write each operand once. */
static void once_each(const struct step *s, enum class_of_work c, int back, double more)
{
    const struct op_shape *shape = &op_shapes[s->op];
    double bytes = more;
    for (int i = 0; i < shape->in + shape->out; i++) {
        struct tensor *t = operands(s)[i];
        bytes += !back || shape->keep >> i & 1 ? bytes_of(t) : 0;
        if (back && i >= shape->in)
            bytes += learns(t) ? bytes_of(t) : 0;
        else if (back && !(s->op == OP_residual && i == 0 && s->u.residual.x->before))
            bytes += gradient_bytes(s, i);
    }
    launch(c, PASSES, 0, 1, bytes);
}

/* A norm with the residual step that gives its x: its operands besides. */
static double sum_bytes(const struct norm_args *a, int back)
{
    return !a->sum ? 0 : bytes_of(a->sum->f) + (back ? 0 : bytes_of(a->sum->x));
}

static void count(const struct step *s, int back)
{
    const double logits = s->op == OP_head ? bytes_of(s->u.head.logits) : 0;
    switch (s->op) {
    case OP_linear:
        products(s, s->u.linear.x, s->u.linear.weight, bytes_of(s->u.linear.y), back);
        break;
    case OP_head:       /* logits are read for the loss; for their gradient, which is written */
        products(s, s->u.head.x, s->u.head.weight, logits, back);
        launch(HEAD, PASSES, 0, 1, back ? 2 * logits : logits);
        break;
    case OP_attention: attention(s, back); break;
    case OP_norm:       /* the gradients of gain and bias in a launch of their own */
        once_each(s, NORMS, back, sum_bytes(&s->u.norm, back));
        if (back && (learns(s->u.norm.gain) || learns(s->u.norm.bias)))
            launch(NORMS, PASSES, 0, 1, bytes_of(s->u.norm.x) + bytes_of(s->u.norm.y));
        break;
    default: once_each(s, ELEMENTWISE, back, 0); break;
    }
}

/* Both passes, residual steps with the norm behind them where the plan joins them.  An exact GELU
 * is a launch of its own. */
static void count_all(const struct plan *p)
{
    const size_t n = p->n_steps;
    for (size_t i = 0; i < n; i++) {
        const struct step there = joined_step(p, i, 0, n, FORWARD);
        const struct step back = joined_step(p, i, 0, n, BACKWARD);
        if (there.op != OP_residual || !is_joined_forward(p, i, 0, n))
            count(&there, 0);
        if (there.op != OP_residual || !is_joined_backward(p, i, n))
            count(&back, 1);
    }
}

static void row(const char *model, const char *name, const struct total *s)
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
    struct total all = {0};

    cfg.layers = layers, cfg.width = width, cfg.heads = heads, cfg.context = TIME;
    cfg.vocab = VOCAB, cfg.precision = cfg.attention_precision = PRECISION_BF16;
    struct model *m = learner_model(be, &cfg, &learn);
    plan_layout(m->plan);
    for (int c = 0; c < CLASSES; c++)
        totals[c] = (struct total){0};
    count_all(m->plan);
    launch(OPTIMISER, 1, 0, 1, 4.0 * (double)m->plan->param_floats);        /* the norm */
    launch(OPTIMISER, 1, 0, 1, 28.0 * (double)m->plan->param_floats
                               + 4.0 * (double)m->plan->narrow_floats);
    for (int c = 0; c < CLASSES; c++) {
        row(name, class_names[c], &totals[c]);
        all.flops += totals[c].flops;
        all.bytes += totals[c].bytes;
        all.seconds += totals[c].seconds;
    }
    row(name, "**all**", &all);
    printf("| %s | tokens a second | | | %.0f,000 | |\n", name, tokens / all.seconds / 1000);
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
