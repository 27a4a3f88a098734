#include "learn/state.h"
#include "base/base.h"
#include "base/file.h"
#include "model/safetensors.h"
#include <stdlib.h>

static const char *const moment_names[2][2] = {{"adam.m", "adam.v"}, {"sgd.m", NULL}};

static const char *moment_name(const struct learner *l, int k)
{
    return moment_names[l->cfg.optimizer == OPTIMIZER_SGD][k];
}

static void add_number(struct safetensors_writer *w, const char *key, double v)
{
    char text[32];
    snprintf(text, sizeof text, "%.17g", v);
    safetensors_add_note(w, key, text);
}

static int is_param(const struct tensor *t)
{
    return t->kind == TENSOR_PARAM && !t->base;
}

void state_write(const char *folder, const struct learner *l, const struct state *s)
{
    const struct plan *p = l->model->plan;
    char *file = text_of("%s/state.safetensors", folder);
    struct safetensors_writer *w = safetensors_create(file);
    size_t largest = 0;

    add_number(w, "keel.step", (double)l->step);
    add_number(w, "keel.val-last", s->last);
    add_number(w, "keel.val-best", s->best);
    for (int k = 0; k < 2 && l->moments[k]; k++)
        for (size_t i = 0; i < p->n_tensors; i++) {
            const struct tensor *t = p->tensors[i];
            if (!is_param(t))
                continue;
            char *name = text_of("%s/%s", moment_name(l, k), t->name);
            safetensors_add(w, name, 2, (size_t[]){(size_t)t->rows, (size_t)t->cols});
            largest = tensor_size(t) > largest ? tensor_size(t) : largest;
            free(name);
        }
    float *host = zalloc(largest, sizeof *host);
    for (int k = 0; k < 2 && l->moments[k]; k++)
        for (size_t i = 0; i < p->n_tensors; i++)
            if (is_param(p->tensors[i])) {
                plan_get(p, p->tensors[i], l->moments[k] + p->tensors[i]->data_at, host);
                safetensors_put(w, host, tensor_size(p->tensors[i]));
            }
    safetensors_finish(w);
    free(host);
    free(file);
}

static void read_moments(const char *file, const struct safetensors *st, struct learner *l, int k)
{
    const struct plan *p = l->model->plan;
    for (size_t i = 0; i < p->n_tensors; i++) {
        const struct tensor *t = p->tensors[i];
        if (!is_param(t))
            continue;
        char *name = text_of("%s/%s", moment_name(l, k), t->name);
        const struct safetensors_entry *e = safetensors_find(st, name);
        if (!e || e->count != tensor_size(t))
            die("%s: tensor %s is missing or misshapen", file, name);
        float *host = zalloc(e->count, sizeof *host);
        const char *why = safetensors_floats(st, e, host);
        if (why)
            die("%s: %s", file, why);
        plan_put(p, t, l->moments[k] + t->data_at, host);
        free(host);
        free(name);
    }
}

static double number(const char *file, const struct safetensors *st, const char *key)
{
    const char *text = safetensors_note(st, key);
    if (!text)
        die("%s: %s is missing", file, key);
    return strtod(text, NULL);
}

void state_read(const char *folder, struct learner *l, struct state *s)
{
    char *file = text_of("%s/state.safetensors", folder);
    struct mapped map;
    struct safetensors st;
    if (file_map(file, &map))
        die("%s:", file);
    const char *why = safetensors_parse(map.data, map.size, &st);
    if (why)
        die("%s: %s", file, why);
    l->step = (long long)number(file, &st, "keel.step");
    s->last = number(file, &st, "keel.val-last");
    s->best = number(file, &st, "keel.val-best");
    for (int k = 0; k < 2 && l->moments[k]; k++)
        read_moments(file, &st, l, k);
    safetensors_free(&st);
    file_unmap(&map);
    free(file);
}
