#include "base/base.h"
#include "base/file.h"
#include "model/checkpoint.h"
#include "model/hf_config.h"
#include "model/names.h"
#include "model/safetensors.h"
#include "text/vocab.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *checkpoint_path(const char *run, long long step)
{
    return text_of("%s/step-%08lld", run, step);
}

static int ascending(const void *a, const void *b)
{
    const long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

long long *checkpoint_list(const char *run, size_t *n)
{
    long long *steps = NULL;
    DIR *d = opendir(run);
    if (!d)
        die("%s:", run);
    *n = 0;
    for (struct dirent *e; (e = readdir(d));) {
        long long step;
        int end = 0;
        if (sscanf(e->d_name, "step-%lld%n", &step, &end) == 1 && end >= 13 && !e->d_name[end]) {
            steps = grow(steps, *n, sizeof *steps);
            steps[(*n)++] = step;
        }
    }
    closedir(d);
    if (*n)
        qsort(steps, *n, sizeof *steps, ascending);
    return steps;
}

/* Copy a file, if it is there. */
static void copy_into(const char *folder, const char *from, const char *name)
{
    struct mapped map;
    char *source = text_of("%s/%s", from, name), *target = text_of("%s/%s", folder, name);
    if (file_map(source, &map)) {
        if (errno != ENOENT)
            die("%s:", source);
        free(source);
        free(target);
        return;
    }
    FILE *f = fopen(target, "wb");
    if (!f || fwrite(map.data, 1, map.size, f) != map.size || fclose(f))
        die("%s:", target);
    file_unmap(&map);
    free(source);
    free(target);
}

static void add_note(struct safetensors_writer *w, const char *name, const char *value)
{
    char *key = text_of("keel.%s", name);
    if (value)
        safetensors_add_note(w, key, value);
    free(key);
}

static void add_notes(struct safetensors_writer *w, const struct checkpoint_record *r)
{
    char number[32];
    snprintf(number, sizeof number, "%lld", r->step);
    add_note(w, "step", number);
    add_note(w, "token-vocab", r->kind->vocab);
    snprintf(number, sizeof number, "%d", r->kind->size);
    add_note(w, "token-size", number);
    snprintf(number, sizeof number, "%d", r->kind->eot);
    add_note(w, "token-eot", number);
    for (const struct opt *const *t = r->tables; *t; t++)
        for (const struct opt *o = *t; o->name; o++) {
            char *value = opt_value(o);
            add_note(w, o->name, value);
            free(value);
        }
    for (const char *(*more)[2] = r->more; more && (*more)[0]; more++)
        add_note(w, (*more)[0], (*more)[1]);
}

static void name_tensor(struct safetensors_writer *w, const struct model *m,
                        const struct tensor *t)
{
    struct file_names in = names_in_file(&m->cfg, t->name);
    const size_t parts = (size_t)in.parts, cols = (size_t)t->cols, rows = (size_t)t->rows / parts;
    const char *last = strrchr(t->name, '.');
    for (size_t i = 0; i < parts; i++)
        if (!strcmp(last, ".gain") || !strcmp(last, ".bias"))
            safetensors_add(w, in.name[i], 1, (size_t[]){cols / parts});
        else
            safetensors_add(w, in.name[i], 2,
                            in.transposed ? (size_t[]){cols, rows} : (size_t[]){rows, cols});
    names_free(&in);
}

static void put_tensor(struct safetensors_writer *w, const struct model *m, const struct tensor *t)
{
    struct file_names in = names_in_file(&m->cfg, t->name);
    const size_t n = tensor_size(t), rows = (size_t)t->rows, cols = (size_t)t->cols;
    float *host = zalloc(n, sizeof *host), *put = host;

    plan_get(m->plan, t, t->data, host);
    if (in.transposed) {
        put = zalloc(n, sizeof *put);
        for (size_t i = 0; i < n; i++)
            put[i] = host[i % rows * cols + i / rows];
    }
    for (size_t i = 0; i < (size_t)in.parts; i++)
        safetensors_put(w, put + i * (n / (size_t)in.parts), n / (size_t)in.parts);
    if (put != host)
        free(put);
    free(host);
    names_free(&in);
}

/* The vocabulary as transformers reads it; what ids without a known meaning have is none. */
static void write_vocab(const char *folder, const char *name)
{
    if (!strcmp(name, "bytes") || !strcmp(name, "gpt2")) {
        struct vocab *v = vocab_open(name);
        vocab_save(v, folder);
        vocab_free(v);
        return;
    }
    for (int i = 0; vocab_files[i]; i++)
        copy_into(folder, name, vocab_files[i]);
}

void checkpoint_write(const char *folder, const struct model *m, const struct checkpoint_record *r)
{
    char *file = text_of("%s/model.safetensors", folder);
    struct safetensors_writer *w = safetensors_create(file);
    struct tensor *const *t = m->plan->tensors;

    add_notes(w, r);
    for (size_t i = 0; i < m->plan->n_tensors; i++)
        if (t[i]->kind == TENSOR_PARAM && !t[i]->base)
            name_tensor(w, m, t[i]);
    for (size_t i = 0; i < m->plan->n_tensors; i++)
        if (t[i]->kind == TENSOR_PARAM && !t[i]->base)
            put_tensor(w, m, t[i]);
    safetensors_finish(w);
    free(file);

    file = text_of("%s/config.json", folder);
    hf_config_write(file, &m->cfg, r->kind);
    free(file);
    write_vocab(folder, r->kind->vocab);
}
