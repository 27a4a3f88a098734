/* compare - two-block models on the CUDA backend and on the CPU's: the same losses, gradients
 * and parameters through 20 steps of Adam, for every placement and norm.
 *
 * Both backends compute in f32 in different orders.  A step adds errors of some 2^-24 per
 * rounding; Adam divides small gradients by their own size, which magnifies their errors.  A loss
 * of about 3 may differ by LOSS_TOLERANCE of itself, a gradient by GRAD_TOLERANCE of the largest
 * of its tensor; a wrong factor or a lost term is thousands of times larger. */
#include "base/base.h"
#include "model/model.h"
#include "tests/tap.h"
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 3, TIME = 17, ROWS = BATCH * TIME, STEPS = 20 };
static const double LOSS_TOLERANCE = 2e-6, GRAD_TOLERANCE = 1e-5;

/* A model with its optimiser's state. */
struct trainee {
    struct model *m;
    float *first, *second;
};

static struct trainee make(const struct backend *be, const struct model_config *cfg)
{
    struct trainee t = {.m = model_build(be, cfg, BATCH, MODEL_LOSS, 1)};
    plan_place(t.m->plan, NULL);
    model_init(t.m, 5);
    t.first = be->alloc(t.m->plan->param_floats);
    t.second = be->alloc(t.m->plan->param_floats);
    return t;
}

static void end(struct trainee *t)
{
    t->m->plan->be->release(t->first);
    t->m->plan->be->release(t->second);
    model_free(t->m);
}

/* Mean loss and gradients of the batch of a step. */
static double pass(struct model *m, int step)
{
    struct plan *p = m->plan;
    const int draw[4] = {7, 0, step, 1};
    int ids[ROWS + 1];
    float loss[ROWS], share[ROWS];
    unsigned state = (unsigned)step + 1;
    double sum = 0;
    for (int i = 0; i <= ROWS; i++) {
        state = state * 1664525u + 1013904223u;
        ids[i] = (int)(state >> 16) % m->cfg.vocab / (i % 3 + 1);
    }
    for (int i = 0; i < ROWS; i++)
        share[i] = 1.0f / ROWS;
    plan_put(p, m->ids, m->ids->data, ids);
    plan_put(p, m->targets, m->targets->data, ids + 1);
    if (m->draw)
        plan_put(p, m->draw, m->draw->data, draw);
    plan_forward(p);
    plan_zero_grads(p);
    plan_put(p, m->loss, m->loss->grad, share);
    plan_backward(p);
    plan_get(p, m->loss, m->loss->data, loss);
    for (int i = 0; i < ROWS; i++)
        sum += (double)loss[i] / ROWS;
    return sum;
}

static void update(struct trainee *t, int step)
{
    const struct plan *p = t->m->plan;
    p->be->adam(&(struct adam_args){
        .w = p->params, .m = t->first, .v = t->second, .grad = p->grads, .n = p->param_floats,
        .lr = 3e-3f, .beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-6f, .decay = 0.1f,
        .correct1 = 1 - powf(0.9f, (float)step), .correct2 = 1 - powf(0.95f, (float)step),
        .scale = 1});
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

static void compare(const struct backend *cuda, const struct backend *cpu,
                    const struct model_config *cfg, const char *name, double scale)
{
    struct trainee a = make(cuda, cfg), b = make(cpu, cfg);
    double loss_gap = 0, grad_gap = 0, first = 0, last = 0;
    for (int step = 1; step <= STEPS; step++) {
        const double x = pass(a.m, step), y = pass(b.m, step), gap = fabs(x - y) / fabs(y);
        if (step == 1)
            grad_gap = gradients_differ(a.m, b.m), first = y;
        loss_gap = gap > loss_gap || isnan(gap) ? gap : loss_gap;
        last = y;
        update(&a, step);
        update(&b, step);
    }
    ok(loss_gap < scale * LOSS_TOLERANCE && grad_gap < scale * GRAD_TOLERANCE,
       "%s: loss %.4f to %.4f, apart by %.1e; gradients by %.1e", name, first, last, loss_gap,
       grad_gap);
    end(&a), end(&b);
}

int main(int argc, char **argv)
{
    program = "compare";
    omp_set_num_threads(1);
    const struct backend *cuda = backend_open("cuda", NULL), *cpu = backend_open("cpu", NULL);
    const int only = argc > 1 ? atoi(argv[1]) : -1;     /* one placement; all without it */
    for (int i = 0; placements[i].name; i++)
        for (int norm = NORM_LAYER; norm <= NORM_RMS; norm++) {
            char name[100];
            struct model_config cfg = {
                .placement = i, .norm = norm, .norm_gain = 1, .norm_bias = norm == NORM_LAYER,
                .bias = i % 2, .layers = 2, .width = 20, .heads = 2, .context = TIME, .vocab = 64,
                .tied = i != 1, .activation = i % 3, .dropout = i == 2 ? 0.1 : 0,
                .positions = i == 3 ? POSITIONS_SINUSOIDAL : POSITIONS_LEARNED, .dt = 1,
                .label_smoothing = i == 4 ? 0.1 : 0, .eps = 1e-5, .embed_scale = 1,
                .init_std = 0.08,
            };
            if (only >= 0 && only != i)
                continue;
            snprintf(name, sizeof name, "%s, %s", placements[i].name,
                     norm == NORM_LAYER ? "layer" : "rms");
            compare(cuda, cpu, &cfg, name, 1);
        }
    return tap_end();
}
