/* compare - two-block models trained on the CUDA backend and on the CPU's, through the learner that
 * train uses: the same losses, gradients and norms through 20 steps, for every placement and norm.
 *
 * Both backends compute in f32 in different orders.  A step adds errors of some 2^-24 per
 * rounding; Adam divides small gradients by their own size, which magnifies their errors.  A loss
 * of about 4 may differ by LOSS_TOLERANCE of itself, a gradient by GRAD_TOLERANCE of the largest
 * of its tensor; a wrong factor or a lost term is thousands of times larger.
 *
 * In bf16 the CPU rounds the inputs of products and CUDA what it stores as well, each by up to
 * 2^-9, 2^15 times as much as f32: the tolerances are BF16_SCALE times as large, and there is no
 * relu, whose slope jumps where that decides. */
#include "base/base.h"
#include "learn/learner.h"
#include "tests/tap.h"
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 3, TIME = 17, ROWS = BATCH * TIME, STEPS = 20, VOCAB = 64 };
static const double LOSS_TOLERANCE = 2e-6, GRAD_TOLERANCE = 1e-5, BF16_SCALE = 2000;

static struct learner *make(const struct backend *be, const struct model_config *model,
                            const struct learn_config *learn)
{
    struct learner *l = learner_new(be, model, learn);
    model_init(l->model, 5);
    return l;
}

static void make_batch(int number, int ids[ROWS], int targets[ROWS])
{
    unsigned state = (unsigned)number + 1;
    for (int i = 0; i <= ROWS; i++) {
        state = state * 1664525u + 1013904223u;
        const int id = (int)(state >> 16) % VOCAB / (i % 3 + 1);
        if (i < ROWS)
            ids[i] = id;
        if (i > 0)
            targets[i - 1] = i % 11 ? id : -1;
    }
}

/* The passes of a step; the next step is fed while it runs, as train does. */
static void feed(struct learner *l, int step)
{
    int ids[ROWS], targets[ROWS];
    for (int k = 0; k < l->cfg.accumulate; k++) {
        make_batch(step * l->cfg.accumulate + k, ids, targets);
        learner_feed(l, ids, targets);
    }
}

static struct step_record make_step(struct learner *l, int step)
{
    struct step_record r;
    learner_begin(l);
    feed(l, step + 1);
    if (!learner_end(l, &r))
        r.loss = NAN;
    return r;
}

static double evaluate(struct learner *l)
{
    int ids[ROWS], targets[ROWS];
    double sum = 0, n = 0;
    make_batch(1000, ids, targets);
    learner_evaluate(l, ids, targets, &sum, &n);
    return sum / n;
}

/* The largest difference between two models' gradients, of the largest entry of the tensor. */
static double gradients_differ(const struct model *a, const struct model *b)
{
    double worst = 0;
    for (size_t i = 0; i < a->plan->n_tensors; i++) {
        const struct tensor *t = a->plan->tensors[i], *u = b->plan->tensors[i];
        const size_t n = tensor_size(t);
        if (t->kind != TENSOR_PARAM || t->base)
            continue;
        float *x = zalloc(n, sizeof *x), *y = zalloc(n, sizeof *y);
        double size = 1e-6, most = 0;
        plan_get(a->plan, t, t->grad, x);
        plan_get(b->plan, u, u->grad, y);
        for (size_t k = 0; k < n; k++) {
            const double gap = fabs((double)x[k] - (double)y[k]);
            size = fmax(size, fabs((double)y[k]));
            most = gap > most || isnan(gap) ? gap : most;
        }
        worst = fmax(worst, most / size);
        free(x), free(y);
    }
    return worst;
}

static double apart(double x, double y)
{
    return fabs(x - y) / fabs(y);
}

static double worse(double worst, double gap)
{
    return gap > worst || isnan(gap) ? gap : worst;
}

static void compare(const struct backend *cuda, const struct backend *cpu,
                    const struct model_config *cfg, const struct learn_config *learn,
                    const char *name, double scale)
{
    struct learner *a = make(cuda, cfg, learn), *b = make(cpu, cfg, learn);
    double loss_gap = 0, grad_gap = 0, first = 0, last = 0;
    feed(a, 0), feed(b, 0);
    for (int step = 0; step < STEPS; step++) {
        const struct step_record x = make_step(a, step), y = make_step(b, step);
        if (step == 0)
            grad_gap = gradients_differ(a->model, b->model), first = y.loss;
        loss_gap = worse(loss_gap, apart(x.loss, y.loss));
        grad_gap = worse(grad_gap, apart(x.grad_norm, y.grad_norm));
        if (step % 7 == 0)
            loss_gap = worse(loss_gap, apart(evaluate(a), evaluate(b)));
        last = y.loss;
    }
    ok(loss_gap < scale * LOSS_TOLERANCE && grad_gap < scale * GRAD_TOLERANCE,
       "%s: loss %.4f to %.4f, apart by %.1e; gradients by %.1e", name, first, last, loss_gap,
       grad_gap);
    learner_free(a), learner_free(b);
}

static struct model_config config_for(int i, int norm, enum precision precision)
{
    return (struct model_config){
        .placement = i, .norm = norm, .norm_gain = 1, .norm_bias = norm == NORM_LAYER,
        .bias = i % 2, .layers = 2, .width = precision ? 64 : 20, .heads = 2, .context = TIME,
        .vocab = VOCAB, .tied = i != 1,
        .activation = precision ? i % 2 : i % 3,
        .dropout = i == 2 ? 0.1 : 0, .dt = 1, .label_smoothing = i == 4 ? 0.1 : 0,
        .positions = i == 3 ? POSITIONS_SINUSOIDAL : POSITIONS_LEARNED, .eps = 1e-5,
        .embed_scale = 1, .init_std = 0.08, .precision = precision,
        .attention_precision = i == 0 ? PRECISION_F32 : precision,
    };
}

int main(int argc, char **argv)
{
    program = "compare";
    omp_set_num_threads(1);
    const struct backend *cuda = backend_open("cuda", NULL), *cpu = backend_open("cpu", NULL);
    const int only = argc > 1 ? atoi(argv[1]) : -1;     /* one placement; all without it */
    for (int i = 0; placements[i].name; i++)
        for (int kind = 0; kind < 3 && (only < 0 || only == i); kind++) {
            char name[100];
            const int norm = kind == 1 ? NORM_RMS : NORM_LAYER;
            const struct model_config cfg = config_for(i, norm, kind == 2 ? PRECISION_BF16
                                                                          : PRECISION_F32);
            const struct learn_config learn = {
                .batch = BATCH, .accumulate = 1 + i % 2, .steps = STEPS, .lr = 3e-3,
                .optimizer = i == 5 ? OPTIMIZER_SGD : OPTIMIZER_ADAMW, .beta1 = 0.9, .beta2 = 0.95,
                .adam_eps = 1e-6, .momentum = 0.9, .weight_decay = 0.1, .clip = i == 3 ? 0.1 : 1,
                .seed = 7,
            };
            snprintf(name, sizeof name, "%s, %s%s", placements[i].name,
                     norm == NORM_LAYER ? "layer" : "rms", kind == 2 ? ", bf16" : "");
            compare(cuda, cpu, &cfg, &learn, name, kind == 2 ? BF16_SCALE : 1);
        }
    return tap_end();
}
