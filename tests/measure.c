/* measure [DEVICE] - statistics, bounds and Lemma 1 of small models of every kind of placement, on
 * the CPU or that device, against golden/probe.tsv, which make_probe.py computes with numpy in
 * f64; fits. */
#include "base/base.h"
#include "base/random.h"
#include "measure/layers.h"
#include "tap.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 12, TIME = 5, VOCAB = 16, LAYERS = 3, WINDOWS = 3, BATCH = 2 };

/* The same numbers as make_probe.py's hashed(). */
static double hashed(const char *name, size_t i)
{
    uint32_t h = random_site(name) + (uint32_t)i * 2654435761u;
    h = (h ^ h >> 15) * 2246822519u;
    h = (h ^ h >> 13) * 3266489917u;
    h ^= h >> 16;
    return h * 0x1p-32 - 0.5;
}

static int ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && !strcmp(name + n - m, end);
}

static const struct backend *be;

static void fill(struct plan *p)
{
    static float host[4 * WIDTH * WIDTH];
    for (size_t k = 0; k < p->n_tensors; k++) {
        const struct tensor *t = p->tensors[k];
        if (t->kind != TENSOR_PARAM || t->base)
            continue;
        for (size_t i = 0; i < tensor_size(t); i++) {
            const double u = hashed(t->name, i);
            host[i] = (float)(ends_with(t->name, ".gain") ? 1 + 0.8 * u
                              : ends_with(t->name, ".bias") ? 0.6 * u : 1.2 * u);
        }
        plan_put(p, t, t->data, host);
    }
}

static struct model *small_model(const char *placement, int rms, double dt, int biases,
                                 struct layers **l)
{
    struct model_config cfg = {
        .norm = rms ? NORM_RMS : NORM_LAYER, .norm_gain = 1, .norm_bias = biases, .bias = biases,
        .layers = LAYERS, .width = WIDTH, .heads = 2, .context = TIME, .vocab = VOCAB, .tied = 1,
        .dt = dt, .eps = 0.1, .embed_scale = 1, .init_std = 0.02,
    };
    while (placements[cfg.placement].name && strcmp(placements[cfg.placement].name, placement))
        cfg.placement++;
    struct model *m = model_build(be, &cfg, BATCH, MODEL_LOSS, 0);
    *l = layers_new(m, WINDOWS);
    plan_place(m->plan, NULL);
    fill(m->plan);
    return m;
}

/* Two passes: one full, one with a single real window. */
static struct layers_result *measured(const char *placement, int rms, double dt, int biases)
{
    struct layers *l;
    struct model *m = small_model(placement, rms, dt, biases, &l);
    for (int first = 0; first < WINDOWS; first += BATCH) {
        int ids[BATCH * TIME];
        for (int i = 0; i < BATCH * TIME; i++)
            ids[i] = (int)(hashed("ids", (size_t)(first * TIME + i)) * VOCAB + VOCAB / 2.0);
        plan_put(m->plan, m->ids, m->ids->data, ids);
        plan_put(m->plan, m->targets, m->targets->data, ids);
        plan_forward(m->plan);
        layers_add(l, WINDOWS - first < BATCH ? WINDOWS - first : BATCH);
    }
    struct layers_result *r = layers_end(l);
    model_free(m);
    return r;
}

static const struct { const char *name; size_t at; } fields[] = {
#define FIELD(name, field) {name, offsetof(struct layer, field)}
    FIELD("mean", moments.mean), FIELD("MA", moments.ma), FIELD("var_entry", moments.var_entry),
    FIELD("var_data", var_data), FIELD("var_token", moments.var_token),
    FIELD("max_abs", moments.max_abs), FIELD("fro", moments.fro), FIELD("growth", growth),
    FIELD("fro_f", fro_f), FIELD("cos_f", cos_f), FIELD("bound_MA", bound_ma),
    FIELD("ratio_MA", ratio_ma), FIELD("bound_Var", bound_var), FIELD("ratio_Var", ratio_var),
    FIELD("bound_exp", bound_exp), FIELD("ratio_exp", ratio_exp), FIELD("q", norm.q),
    FIELD("q_lemma", norm.lemma),
#undef FIELD
};
enum { FIELDS = sizeof fields / sizeof *fields };

static double value_of(const struct layers_result *r, int k, const char *name)
{
    const struct { const char *name; double value; } whole[] = {
        {"C_hat", r->c_hat}, {"C_fit", r->growth.rate},
        {"R2_exponential", r->growth.exponential}, {"R2_linear", r->growth.linear},
        {"R2_quadratic", r->growth.quadratic},
    };
    for (size_t i = 0; k < 0 && i < sizeof whole / sizeof *whole; i++)
        if (!strcmp(whole[i].name, name))
            return whole[i].value;
    for (int i = 0; k >= 0 && i < FIELDS; i++)
        if (!strcmp(fields[i].name, name))
            return *(const double *)((const char *)&r->layer[k] + fields[i].at);
    die("probe.tsv: unknown statistic %s", name);
}

/* Numbers that the golden file does not have are those that do not apply. */
static int others_are_nan(const struct layers_result *r, int seen[][FIELDS])
{
    for (int k = 0; k <= 2 * LAYERS; k++)
        for (int i = 0; i < FIELDS; i++)
            if (!seen[k][i] && !isnan(*(const double *)((const char *)&r->layer[k] + fields[i].at)))
                return 0;
    return 1;
}

/* Compare a case's lines.  The passes are f32, whose rounding reaches about 1e-6 of a state;
 * 2e-5 leaves room for what amplifies it (differences, the models without norms). */
static void golden_case(FILE *f, int number)
{
    char placement[16], norm[16], name[24];
    int which, biases, k, n = 0, seen[1 + 2 * LAYERS][FIELDS] = {{0}};
    double dt, want, worst = 0, error = 0, plane = 0;
    struct layers_result *r = NULL;

    rewind(f);
    if (fscanf(f, "%*[^\n]") < 0)
        die("probe.tsv:");
    while (fscanf(f, "%d %15s %15s %lf %d %d %23s %lf", &which, placement, norm, &dt, &biases, &k,
                  name, &want) == 8) {
        if (which != number)
            continue;
        if (!r)
            r = measured(placement, !strcmp(norm, "rms"), dt, biases);
        const double got = value_of(r, k, name);
        for (int i = 0; i < FIELDS && k >= 0; i++)
            seen[k][i] |= !strcmp(fields[i].name, name);
        if (!isnan(want) || !isnan(got))
            worst = larger(worst, fabs(got - want) / (fabs(want) + 0.1));
        n++;
    }
    if (!r)
        die("probe.tsv has no case %d", number);
    for (k = 0; k <= 2 * LAYERS; k++) {
        error = isnan(r->layer[k].norm.error) ? error : fmax(error, r->layer[k].norm.error);
        plane = isnan(r->layer[k].norm.plane) ? plane : fmax(plane, r->layer[k].norm.plane);
    }
    ok(n > 80 && worst < 2e-5, "case %d: %d numbers, worst relative difference %.2g", number, n,
       worst);
    ok(others_are_nan(r, seen), "case %d: what does not apply is nan", number);
    ok(error < 1e-5 && plane < 1e-5, "case %d: Lemma 1 at every token to %.2g, the plane to %.2g",
       number, error, plane);
    free(r);
}

static void test_growth(void)
{
    double line[13], power[13], one[2] = {1, -1};
    for (int i = 0; i < 13; i++) {
        line[i] = 3 + 2 * i;
        power[i] = 0.5 * pow(1.5, i);
    }
    const struct growth l = growth_of(line, 13), p = growth_of(power, 13), n = growth_of(one, 2);
    ok(fabs(l.linear - 1) < 1e-12 && l.exponential < 0.99, "a line is a line");
    ok(fabs(p.rate - 0.5) < 1e-12 && fabs(p.exponential - 1) < 1e-12 && p.linear < 0.9,
       "an exponential is an exponential, by 50 %% a step");
    ok(isnan(n.rate) && isnan(n.linear), "what is not positive has no law");
}

int main(int argc, char **argv)
{
    be = backend_open(argc > 1 ? argv[1] : "cpu", NULL);
    FILE *f = fopen("tests/golden/probe.tsv", "r");
    if (!f)
        die("tests/golden/probe.tsv:");
    for (int i = 0; i < 7; i++)
        golden_case(f, i);
    fclose(f);
    test_growth();
    return tap_end();
}
