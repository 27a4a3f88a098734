/* curve - training from the same weights and batches as PyTorch (tests/golden/make_curve.py)
 * gives its losses: the model, both passes, accumulation, clipping, schedule, optimiser.
 *
 * PyTorch computed in f64.  Rounding in f32 moves the weights by about 1e-7 a step, and
 * training carries it on; losses of about 3 nats must agree to TOLERANCE over 50 steps. */
#include "base/base.h"
#include "base/file.h"
#include "learn/learner.h"
#include "model/safetensors.h"
#include "tap.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOWS = 50 };      /* batches in ids.u8 */
static const double TOLERANCE = 2e-5;

static struct mapped ids_file, weights_file;
static struct safetensors weights;
static struct model_config plain_model;
static struct learn_config learn_defaults;

static void open_golden(void)
{
    if (file_map("tests/golden/curve/ids.u8", &ids_file)
        || file_map("tests/golden/curve/weights.safetensors", &weights_file))
        die("tests/golden/curve:");
    const char *why = safetensors_parse(weights_file.data, weights_file.size, &weights);
    if (why)
        die("tests/golden/curve/weights.safetensors: %s", why);
    plain_model = model_config;
    learn_defaults = learn_config;
}

static void apply(const json_t *settings)
{
    const char *name;
    json_t *value;
    model_config = plain_model;
    learn_config = learn_defaults;
    json_object_foreach((json_t *)settings, name, value) {
        const struct opt *o = opt_find(model_options, name);
        o = o ? o : opt_find(learn_options, name);
        const char *why = o ? opt_set(o, json_string_value(value)) : "is no option";
        if (why)
            die("curve.json: %s '%s' %s", name, json_string_value(value), why);
    }
    learn_config_settle();
}

/* The first rows and columns of the golden tensor of that name. */
static void load(struct model *m)
{
    model_init_positions(m);
    for (size_t i = 0; i < m->plan->n_tensors; i++) {
        struct tensor *t = m->plan->tensors[i];
        if (t->kind != TENSOR_PARAM || t->base)
            continue;
        const struct safetensors_entry *e = safetensors_find(&weights, t->name);
        if (!e)
            die("curve: no golden weights for %s", t->name);
        const size_t cols = e->shape[e->dims - 1], take = (size_t)t->cols;
        float *all = zalloc(e->count, sizeof *all), *part = zalloc(tensor_size(t), sizeof *part);
        if (safetensors_floats(&weights, e, all))
            die("curve: %s", t->name);
        for (size_t r = 0; r < (size_t)t->rows; r++)
            memcpy(part + r * take, all + r * cols, take * sizeof *part);
        plan_put(m->plan, t, t->data, part);
        free(all);
        free(part);
    }
}

static void feed(struct learner *l, int window)
{
    const int batch = l->model->batch, time = l->model->time;
    const unsigned char *from = ids_file.data + (window % WINDOWS) * batch * (time + 1);
    int *ids = zalloc((size_t)(batch * time), sizeof *ids);
    int *targets = zalloc((size_t)(batch * time), sizeof *targets);
    for (int b = 0; b < batch; b++)
        for (int t = 0; t < time; t++) {
            ids[b * time + t] = from[b * (time + 1) + t];
            targets[b * time + t] = from[b * (time + 1) + t + 1];
        }
    learner_feed(l, ids, targets);
    free(ids);
    free(targets);
}

static void test_case(const struct backend *be, const json_t *c)
{
    const json_t *want = json_object_get(c, "losses");
    apply(json_object_get(c, "settings"));
    struct learner *l = learner_new(be, &model_config, &learn_config);
    struct step_record r;
    double worst = 0;

    load(l->model);
    for (int it = 0; it < learn_config.steps; it++) {
        for (int k = 0; k < learn_config.accumulate; k++)
            feed(l, it * learn_config.accumulate + k);
        learner_begin(l);
        learner_end(l, &r);
        worst = fmax(worst, fabs(r.loss - json_number_value(json_array_get(want, (size_t)it))));
    }
    ok(json_array_size(want) == 50 && worst < TOLERANCE, "- %s: %zu losses within %.1e",
       json_string_value(json_object_get(c, "name")), json_array_size(want), worst);
    learner_free(l);
}

int main(void)
{
    json_t *cases = json_load_file("tests/golden/curve/curve.json", 0, NULL), *c;
    size_t i;
    program = "curve";
    open_golden();
    if (!cases)
        die("tests/golden/curve/curve.json: cannot be read");
    json_array_foreach(cases, i, c)
        test_case(backend_open("cpu", NULL), c);
    json_decref(cases);
    safetensors_free(&weights);
    file_unmap(&ids_file);
    file_unmap(&weights_file);
    return tap_end();
}
