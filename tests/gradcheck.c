/* gradcheck [DEVICE [LEVEL]] - whole models: every parameter's gradient against central differences
 * for every placement and norm under several switches; the same bits at 1, 2 and 3 threads, and
 * where the inside of sub-layers is computed anew.  On another device than the CPU that last part
 * alone: its gradients are compared with the CPU's (tests/cuda-on-cpu/compare.c).
 *
 * The loss is computed in f32, about 30 in size, so a quotient over 2 step carries rounding of
 * about 30 * 2^-24 / step and truncation of step^2 / 6 f''', and near a kink of ReLU it is
 * wrong altogether.  So it is taken at several steps, and for up to DRAWS sets of values, and the
 * best counts: a wrong gradient is wrong in all of them.  TOLERANCE is far below what a dropped
 * term does to most entries. */
#include "base/base.h"
#include "model/model.h"
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 2, TIME = 6, ROWS = BATCH * TIME, PROBES = 3, DRAWS = 4 };
                                                /* PROBES: entries tried of a parameter */
static const float steps[] = {1.6e-2f, 4e-3f, 1e-3f};
static const double TOLERANCE = 2e-3;

static int tests, failed;

static void report(int good, const char *name, const char *what, double figure)
{
    failed += !good;
    printf("%sok %d - %s: %s %.1e\n", good ? "" : "not ", ++tests, name, what, figure);
}

/* [-1/2, 1/2), the same in every run. */
static float uniform(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) * 0x1p-24f - 0.5f;
}

/* A placed model with values far from their initial ones, and a window of tokens. */
static struct model *make(const struct backend *be, const struct model_config *cfg,
                          unsigned state, enum recompute recompute, int grads_once)
{
    struct model *m = model_build(be, cfg, BATCH, MODEL_LOSS, 1);
    struct plan *p = m->plan;
    int ids[ROWS + 1];
    const int draw[4] = {7, 0, 3, 1};

    p->recompute = recompute;
    p->grads_once = grads_once;
    plan_place(p, NULL);
    model_init_positions(m);
    for (int i = 0; i <= ROWS; i++)
        ids[i] = (int)((uniform(&state) + 0.5f) * (float)cfg->vocab);
    plan_put(p, m->ids, m->ids->data, ids);
    ids[3] = -1;                                    /* ignored as a target */
    plan_put(p, m->targets, m->targets->data, ids + 1);
    if (m->draw)
        plan_put(p, m->draw, m->draw->data, draw);
    for (size_t i = 0; i < p->n_tensors; i++) {
        const struct tensor *t = p->tensors[i];
        float *values = zalloc(tensor_size(t), sizeof *values);
        for (size_t k = 0; t->kind == TENSOR_PARAM && !t->base && k < tensor_size(t); k++)
            values[k] = uniform(&state) + (strstr(t->name, "gain") != NULL);
        if (t->kind == TENSOR_PARAM && !t->base)
            plan_put(p, t, t->data, values);
        free(values);
    }
    return m;
}

static double total_loss(struct model *m)
{
    float loss[ROWS];
    double sum = 0;
    plan_forward(m->plan);
    plan_get(m->plan, m->loss, m->loss->data, loss);
    for (int i = 0; i < ROWS; i++)
        sum += loss[i];
    return sum;
}

static void gradients(struct model *m)
{
    float ones[ROWS];
    for (int i = 0; i < ROWS; i++)
        ones[i] = 1;
    total_loss(m);
    plan_zero_grads(m->plan);
    plan_put(m->plan, m->loss, m->loss->grad, ones);
    plan_backward(m->plan);
}

static float *gradients_of(struct model *m)
{
    const size_t n = m->plan->param_floats;
    float *g = zalloc(n, sizeof *g);
    gradients(m);
    m->plan->be->get(g, m->plan->grads, n * sizeof *g);
    return g;
}

/* The difference quotient of the loss by one stored number. */
static double slope_at(struct model *m, float *at, float step)
{
    const struct backend *be = m->plan->be;
    float value, up, down;
    be->get(&value, at, sizeof value);
    up = value + step, down = value - step;
    be->put(at, &up, sizeof up);
    const double high = total_loss(m);
    be->put(at, &down, sizeof down);
    const double low = total_loss(m);
    be->put(at, &value, sizeof value);
    return (high - low) / ((double)up - (double)down);
}

/* |quotient - gradient| relative to 1 + |quotient|, at the step where it is least. */
static double error_at(struct model *m, const struct tensor *t, size_t at)
{
    double least = INFINITY;
    float g;
    m->plan->be->get(&g, t->grad + at, sizeof g);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const double slope = slope_at(m, t->data + at, steps[i]);
        const double error = fabs(slope - (double)g) / (1 + fabs(slope));
        least = error < least ? error : least;
    }
    return least;
}

static double worst_error(const struct backend *be, const struct model_config *cfg, unsigned seed)
{
    struct model *m = make(be, cfg, seed, 0, 0);
    unsigned state = 5;
    double worst = 0;

    gradients(m);
    for (size_t i = 0; i < m->plan->n_tensors; i++) {
        const struct tensor *t = m->plan->tensors[i];
        for (int k = 0; t->kind == TENSOR_PARAM && !t->base && k < PROBES; k++) {
            const size_t at = (size_t)((uniform(&state) + 0.5f) * (float)tensor_size(t));
            const double error = error_at(m, t, at);
            worst = error > worst ? error : worst;
        }
    }
    model_free(m);
    return worst;
}

static void check_slopes(const struct backend *be, const struct model_config *cfg,
                         const char *name)
{
    double worst = INFINITY;
    for (unsigned draw = 1; draw <= DRAWS && !(worst < TOLERANCE); draw++)
        worst = worst_error(be, cfg, draw);
    report(worst < TOLERANCE, name, "worst relative error", worst);
}

/* Wide enough that every kernel does use its threads.  At last values lie where gradients will,
 * and a pass has been there before. */
static void check_threads(const struct backend *be, struct model_config cfg, const char *name)
{
    const int before = omp_get_max_threads();
    float *first = NULL;
    double different = 0;

    cfg.width = 96, cfg.heads = 3, cfg.vocab = 3000;
    for (int run = 1; run <= 4; run++) {
        const int once = run == 4;
        omp_set_num_threads(once ? 2 : run);
        struct model *m = make(be, &cfg, 1, 0, once);
        if (once)
            gradients(m);
        const size_t n = m->plan->param_floats;
        float *g = gradients_of(m);
        if (!first)
            first = g;
        else {
            for (size_t i = 0; i < n; i++)
                different += memcmp(&g[i], &first[i], sizeof *g) != 0;
            free(g);
        }
        model_free(m);
    }
    free(first);
    omp_set_num_threads(before);
    report(different == 0, name, "gradients that differ at 1, 2, 3 threads or in another place",
           different);
}

/* The same gradients in less memory: of one sub-layer at a time instead of all, or of all but the
 * norms that they begin with. */
static void check_recompute(const struct backend *be, const struct model_config *cfg,
                            enum recompute what, const char *name)
{
    struct model *kept = make(be, cfg, 1, RECOMPUTE_NOTHING, 0), *anew = make(be, cfg, 1, what, 0);
    float *want = gradients_of(kept), *got = gradients_of(anew);
    const int same = !memcmp(want, got, kept->plan->param_floats * sizeof *got);
    const double work = (double)anew->plan->work_floats / (double)kept->plan->work_floats;
    const double flops = plan_flops_again(anew->plan) / plan_flops(anew->plan);
    const int less = what == RECOMPUTE_PARTS ? work < 1 && flops > 0 && flops < 1
                   : flops == 0 && (placements[cfg->placement].at & NORM_IN ? work < 1 : work <= 1);
    report(same && less, name, "the same gradients computed anew in a share of the memory,", work);
    free(want), free(got);
    model_free(kept), model_free(anew);
}

/* What is tried beside a placement and a norm. */
static const struct variant {
    const char *name;
    int bias, gain, norm_bias, tied, activation, positions;
    double dropout, dt, smoothing;
    int learn_dt, encoder;
} variants[] = {
    {"plain",           0, 1, 0, 1, ACTIVATION_GELU, POSITIONS_LEARNED, 0, 1, 0, 0, 0},
    {"all biases",      1, 1, 1, 0, ACTIVATION_GELU_TANH, POSITIONS_SINUSOIDAL, 0, 0.3, 0.1, 0, 0},
    {"no gain, relu",   1, 0, 0, 1, ACTIVATION_RELU, POSITIONS_LEARNED, 0, 1, 0.1, 0, 0},
    {"dropout, dt 0.3", 0, 1, 0, 1, ACTIVATION_GELU, POSITIONS_LEARNED, 0.2, 0.3, 0, 0, 0},
    {"learned dt",      0, 1, 0, 1, ACTIVATION_GELU, POSITIONS_LEARNED, 0, 0.3, 0, 1, 0},
    {"encoder",         1, 1, 1, 1, ACTIVATION_GELU, POSITIONS_LEARNED, 0, 1, 0, 0, 1},
};

static struct model_config config_of(const struct variant *v, int placement, int norm)
{
    return (struct model_config){
        .placement = placement, .norm = norm, .norm_gain = v->gain, .norm_bias = v->norm_bias,
        .bias = v->bias, .layers = 2, .width = 8, .heads = 2, .context = TIME, .vocab = 11,
        .hidden = v->activation == ACTIVATION_RELU ? 5 : 0,        /* few kinks */
        .activation = v->activation, .positions = v->positions, .tied = v->tied, .dt = v->dt,
        .learn_dt = v->learn_dt, .segments = v->encoder ? 2 : 0, .embed_norm = v->encoder,
        .architecture = v->encoder ? ARCHITECTURE_ENCODER : ARCHITECTURE_DECODER,
        .dropout = v->dropout, .eps = 1e-5, .label_smoothing = v->smoothing, .embed_scale = 1,
    };
}

int main(int argc, char **argv)
{
    program = "gradcheck";
    const struct backend *be = backend_open(argc > 1 ? argv[1] : "cpu", argc > 2 ? argv[2] : NULL);
    const struct variant *const end = variants + sizeof variants / sizeof *variants;

    const int on_cpu = argc < 2 || !strcmp(argv[1], "cpu");

    omp_set_num_threads(1);
    for (const struct variant *v = variants; v < end; v++)
        for (int i = 0; placements[i].name; i++)
            for (int norm = NORM_LAYER; norm <= NORM_RMS; norm++) {
                char name[100];
                const struct model_config cfg = config_of(v, i, norm);
                snprintf(name, sizeof name, "%s, %s, %s, %s", be->name, placements[i].name,
                         norm == NORM_LAYER ? "layer" : "rms", v->name);
                if (on_cpu)
                    check_slopes(be, &cfg, name);
                check_recompute(be, &cfg, RECOMPUTE_NORMS, name);
                check_recompute(be, &cfg, RECOMPUTE_PARTS, name);
            }
    for (int precision = PRECISION_F32; precision <= PRECISION_BF16 && on_cpu; precision++) {
        struct model_config cfg = config_of(&variants[3], 3, NORM_LAYER);
        cfg.precision = cfg.attention_precision = precision;
        cfg.learn_dt = 1;
        check_threads(be, cfg, precision ? "peri in bf16" : "peri in f32");
    }
    printf("1..%d\n", tests);
    return failed ? EXIT_FAILED : finish();
}
