/* jacobian [DEVICE] - the norms of pieces against PyTorch in f64 (golden/jacobian.tsv), and
 * products with their Jacobians, step by step forward, against the rows, which are backward
 * passes. */
#include "base/base.h"
#include "base/random.h"
#include "measure/jacobian.h"
#include "model/model.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 12, TIME = 5, N = WIDTH * TIME };

static const struct backend *be;
static int n_tests, n_failed;

static void check(int good, const char *what, double got, double want)
{
    n_failed += !good;
    printf("%sok %d - %s: %.7g, want %.7g\n", good ? "" : "not ", ++n_tests, what, got, want);
}

static struct model_config config_of(int placement)
{
    return (struct model_config){
        .placement = placement, .norm_gain = 1, .norm_bias = 1, .bias = 1, .layers = 2,
        .width = WIDTH, .heads = 2, .context = TIME, .vocab = 16, .tied = 1, .dt = 0.5,
        .eps = 1e-5, .embed_scale = 1, .init_std = 0.4,
    };
}

static struct model *random_model(struct model_config cfg)
{
    struct model *m = model_build(be, &cfg, 1, MODEL_LOSS, 1);
    int ids[TIME] = {3, 1, 4, 1, 5};

    for (int i = 0; i < m->n_stream; i++)
        plan_watch(m->stream[i]);
    plan_watch(m->branch[2]);
    plan_place(m->plan, NULL);
    model_init(m, 7);
    plan_put(m->plan, m->ids, m->ids->data, ids);
    plan_put(m->plan, m->targets, m->targets->data, ids);
    plan_forward(m->plan);
    return m;
}

/* The norm in golden/jacobian.tsv. */
static double golden(const char *placement, const char *piece)
{
    char name[32], part[32];
    double norm, found = NAN;
    FILE *f = fopen("tests/golden/jacobian.tsv", "r");
    if (!f || fscanf(f, "%*[^\n]") < 0)
        die("tests/golden/jacobian.tsv:");
    while (fscanf(f, "%31s %31s %lf", name, part, &norm) == 3)
        if (!strcmp(name, placement) && !strcmp(part, piece))
            found = norm;
    fclose(f);
    return found;
}

/* The largest difference of J e_i from column i, relative to the largest entry. */
static double worst_column(struct jacobian *j)
{
    static float rows[N][N];
    float unit[N] = {0}, column[N];
    double worst = 0, largest = 0;

    for (int i = 0; i < N; i++) {
        unit[i] = 1;
        jacobian_transposed(j, unit, rows[i]);
        unit[i] = 0;
    }
    for (int i = 0; i < N * N; i++)
        largest = fmax(largest, fabs((double)rows[i / N][i % N]));
    for (int i = 0; i < N; i++) {
        unit[i] = 1;
        jacobian_times(j, unit, column);
        unit[i] = 0;
        for (int k = 0; k < N; k++)
            worst = fmax(worst, fabs((double)column[k] - rows[k][i]) / largest);
    }
    return worst;
}

/* Both products round in f32, about 1e-7 a step. */
static void compare_products(struct jacobian *j, const char *placement, const char *piece)
{
    char line[96];
    const double worst = worst_column(j);
    snprintf(line, sizeof line, "%s %s: J e against rows of J", placement, piece);
    check(worst <= 3e-6, line, worst, 0);
}

static void compare(struct model *m, struct tensor *from, struct tensor *to, const char *piece)
{
    char line[96];
    const char *placement = model_placement(&m->cfg)->name;
    struct jacobian *j = jacobian_new(m->plan, from, to);
    const double want = golden(placement, piece), norm = jacobian_norm(j, 1e-6, 1);

    snprintf(line, sizeof line, "%s %s: norm", placement, piece);
    check(fabs(norm - want) <= 1e-5 * want, line, norm, want);  /* f32 products: about 1e-6 */
    compare_products(j, placement, piece);
    jacobian_free(j);
}

/* Without golden figures: the operations that the models above do not have. */
static void compare_others(int norm, int activation, int learn_dt, const char *name)
{
    struct model_config cfg = config_of(3);
    cfg.norm = norm, cfg.activation = activation, cfg.learn_dt = learn_dt, cfg.norm_gain = norm;
    struct model *m = random_model(cfg);
    struct jacobian *j = jacobian_new(m->plan, m->stream[0], m->stream[m->n_stream - 1]);
    compare_products(j, name, "stack");
    jacobian_free(j);
    model_free(m);
}

int main(int argc, char **argv)
{
    program = "jacobian";
    be = backend_open(argc > 1 ? argv[1] : "cpu", NULL);
    for (int k = 0; placements[k].name; k++) {
        struct model *m = random_model(config_of(k));
        compare(m, m->stream[1], m->stream[2], "step");
        compare(m, m->stream[2], m->branch[2], "branch");
        compare(m, m->stream[0], m->stream[m->n_stream - 1], "stack");
        model_free(m);
    }
    compare_others(NORM_LAYER, ACTIVATION_RELU, 1, "learned dt, relu, no gain");
    compare_others(NORM_RMS, ACTIVATION_GELU_TANH, 0, "rms, tanh gelu");
    printf("1..%d\n", n_tests);
    return n_failed != 0;
}
